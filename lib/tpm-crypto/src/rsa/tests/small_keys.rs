//! Keys of 1024 bits: known answers, and schemes that do not fit or barely so.

use super::*;
use crate::test_vectors::bytes;

/// The key of [CAVP, SigVer15_186-3.rsp, mod 1024], with this exponent.
fn small_key(exponent: u32) -> RsaPrivateKey {
    let public = RsaPublicKey::new(&bytes(MODULUS), exponent).unwrap();
    RsaPrivateKey::from_prime(public, &bytes(PRIME)).unwrap()
}

#[test]
fn known_signatures_are_made_and_verified() {
    for (exponent, hash, message, signature) in SIGNATURES {
        let key = small_key(exponent);
        let digest = hash.digest(&[&bytes(message)]);
        let digest = digest.as_bytes();
        let signature = bytes(signature);
        for provider in providers() {
            let made = pkcs1::sign(&*provider, &key, hash, digest, &mut stream(b"blinding"));
            assert_eq!(made, Ok(signature.clone()));
            pkcs1::verify(&*provider, key.public(), hash, digest, &signature).unwrap();
            let mut changed = signature.clone();
            changed[100] ^= 1;
            let refused = pkcs1::verify(&*provider, key.public(), hash, digest, &changed);
            assert_eq!(refused, Err(RsaError::BadSignature));
        }
    }
}

#[test]
fn either_factor_leads_to_the_other() {
    let key = small_key(65537);
    assert_eq!(key.public().size(), RsaSize::Rsa1024);
    assert_eq!(key.q.as_bytes(), bytes(OTHER_PRIME));
    let again = RsaPrivateKey::from_prime(key.public().clone(), &bytes(OTHER_PRIME)).unwrap();
    assert_eq!(again.prime(), &key.q);
    let refused = RsaPrivateKey::from_prime(key.public().clone(), &bytes(MODULUS)[..64]);
    assert_eq!(refused.err(), Some(RsaError::Prime));
}

/// A digest of 512 bits leaves 62 bytes for the salt.
#[test]
fn probabilistic_signatures_fit_with_every_hash() {
    let key = small_key(65537);
    for hash in HashAlgorithm::ALL {
        let digest = hash.digest(&[b"message"]);
        let digest = digest.as_bytes();
        let salt = if hash.digest_size() == 64 { 62 } else { hash.digest_size() };
        assert_eq!(pss::salt_length(RsaSize::Rsa1024, hash), Some(salt));
        for provider in providers() {
            let provider = &*provider;
            let mut signature =
                pss::sign(provider, &key, hash, digest, &mut stream(b"salt")).unwrap();
            let verify =
                |signature: &[u8]| pss::verify(provider, key.public(), hash, digest, signature);
            assert_eq!(verify(&signature), Ok(()));
            assert_eq!(verify(&signature[1..]), Err(RsaError::BadSignature));
            signature[127] ^= 1;
            assert_eq!(verify(&signature), Err(RsaError::BadSignature));
            // Blocks that are none, with the largest digest as well.
            for block in [[0; 128], [1; 128]] {
                assert_eq!(verify(&block), Err(RsaError::BadSignature));
            }
        }
    }
}

#[test]
fn encryption_takes_what_the_hash_leaves() {
    let key = small_key(65537);
    let message = [9; 86];
    for hash in HashAlgorithm::ALL {
        let room = 126_usize.checked_sub(2 * hash.digest_size());
        for provider in providers() {
            let provider = &*provider;
            let seal = |message: &[u8]| {
                let stream = &mut stream(b"seed");
                oaep::encrypt(provider, key.public(), hash, b"L\0", message, stream)
            };
            let open = |sealed: &[u8]| {
                oaep::decrypt(provider, &key, hash, b"L\0", sealed, &mut stream(b"blinding"))
            };
            let Some(room) = room else {
                // Digest and seed of 512 bits each are more than the block.
                assert_eq!(seal(b""), Err(RsaError::DigestSize));
                assert_eq!(open(&[1; 128]), Err(RsaError::BadCiphertext));
                continue;
            };
            for length in [0, room] {
                let sealed = seal(&message[..length]).unwrap();
                assert_eq!(open(&sealed), Ok(Secret::from(&message[..length])));
            }
            assert_eq!(open(&[1; 128]), Err(RsaError::BadCiphertext));
            let long = [9; 87];
            let refused = RsaError::MessageTooLong { largest: room, found: room + 1 };
            assert_eq!(seal(&long[..room + 1]), Err(refused));
        }
    }
}

#[test]
fn older_encryption_fits_up_to_its_padding() {
    let key = small_key(65537);
    for provider in providers() {
        let provider = &*provider;
        let seal = |message: &[u8]| {
            pkcs1::encrypt(provider, key.public(), message, &mut stream(b"padding"))
        };
        let sealed = seal(&[5; 117]).unwrap();
        let opened = pkcs1::decrypt(provider, &key, &sealed, &mut stream(b"blinding"));
        assert_eq!(opened, Ok(Secret::from(&[5; 117][..])));
        let refused = RsaError::MessageTooLong { largest: 117, found: 118 };
        assert_eq!(seal(&[5; 118]), Err(refused));
    }
}

const MODULUS: &str = "
    a8d68acd413c5e195d5ef04e1b4faaf242365cb450196755e92e1215ba59802a
    afbadbf2564dd550956abb54f8b1c917844e5f36195d1088c600e07cada5c080
    ede679f50b3de32cf4026e514542495c54b1903768791aae9e36f082cd38e941
    ada89baecada61ab0dd37ad536bcb0a0946271594836e92ab5517301d45176b5";

const PRIME: &str = "
    c107a2fe924b76e206cb9bc4af2ab7008547c00846bf6d0680b3eac3ebcbd0c7
    fd7a54c2b9899b08f80cde1d3691eaaa2816b1eb11822d6be7beaf4e30977c49";

const OTHER_PRIME: &str = "
    dfea984ce4307eafc0d140c2bb82861e5dbac4f8567cbc981d70440dd6394920
    79031486315e305eb83e591c4a2e96064966f7c894c3ca351925b5ce82d8ef0d";

/// Exponents, hashes, messages and signatures of three of the file's tests that
/// pass.
const SIGNATURES: [(u32, HashAlgorithm, &str, &str); 3] = [
    (
        3,
        HashAlgorithm::Sha1,
        "d73829497cddbe41b705faac50e7899fdb5a38bf3a459e536357029e64f8796b
         a47f4fe96ba5a8b9a4396746e2164f55a25368ddd0b9a5188c7ac3da2d1f7422
         86c3bdee697f9d546a25efcfe53191d743fcc6b47833d993d08804daeca78fb9
         076c3c017f53e33a90305af06220974d46bf19ed3c9b84edbae98b45a8771258",
        "175015bda50abe0fa7d39a8353885ca01be3a7e7fcc55045744111362ee19144
         73a48dc537d956294b9e20a1ef661d58537acdc8de908fa050630fcc272e6d00
         1045e6fdeed2d10531c8603334c2e8db39e73e6d9665ee1343f9e4198302d220
         1b44e8e8d06b3ef49cee6197582163a8490089ca654c0012fce1ba6511089750",
    ),
    (
        3,
        HashAlgorithm::Sha512,
        "d73829497cddbe41b705faac50e7899fdb5a38bf3a459e536357029e64f8796b
         a47f4fe96ba5a8b9a4396746e2164f55a25368ddd0b9a5188c7ac3da2d1f7422
         86c3bdee697f9d546a25efcfe53191d743fcc6b47833d993d08804daeca78fb9
         076c3c017f53e33a90305af06220974d46bf19ed3c9b84edbae98b45a8771258",
        "8b57a6f91606ba4813b83536581eb15d72875dcbb0a514b4c03b6df8f202fa85
         56e4002122bedaf26eaa107ece4860752379ec8baa64f40098be92a4214b69e9
         8b24ae1cc4d2f457cff4f405a82ef94c5f8dfaadd3078d7a9224887db86c3218
         bf53c9779ed09895b2cfb84f1fad2e5b1f8e4b209c5785b9ce332cd41356c171",
    ),
    (
        65537,
        HashAlgorithm::Sha1,
        "4ff6c9e7f9f03abd3e114a788fd51318feda52b6509c1b685483cb6574213f6a
         8ab4435cf5f34d2eeb076c0510d77b9a48889ae0ca44dfe8773b480169e8f423
         ce96938ef7221caeac02be42c38618bdf15eacecdf5d91da807d69f1a3229361
         c4a3a2c628060d05290b2776ce6d52499e647022b66e9b071a4f167c495683ec",
        "6466b9759635fbb2a3e8cb7d2a6192ea7da6033b76dd578b76ca468fcb9215f8
         138966f9aaa3e82246d15bb271a269eda087e63812406407ca12cb085ae82cee
         bcf28eb44f6608549fbf6383882c864688665a1b5a2d748496b36f8b935f6763
         39fc61e9bc0c3a5a58141226f300cf29c4371047d530a4776809f572b88ecdfe",
    ),
];
