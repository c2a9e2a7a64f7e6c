//! Keys and algorithms as certificates name them.

use alloc::vec::Vec;

use tpm_crypto::rsa::{RsaSize, pss};

use crate::certificate::encoding::{
    BIT_STRING, NULL, SEQUENCE, element, explicit, identifier, integer,
};
use crate::object_creation::exponent_of;
use crate::wire::algorithm::{CurveId, Hash};
use crate::wire::public::{Details, Public};
use crate::wire::scheme::{ECDSA, RSAPSS, RSASSA, SM2, Scheme};

/// 1.2.840.113549.1.1: PKCS #1. One more number follows.
const PKCS1: [u8; 8] = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01];
const RSA_ENCRYPTION: u8 = 1;
const MASK_GENERATION_1: u8 = 8;
const RSASSA_PSS: u8 = 10;
/// 2.16.840.1.101.3.4: NIST's algorithms. Two more numbers follow.
const NIST: [u8; 7] = [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04];
const NIST_HASHES: u8 = 2;
const NIST_SIGNATURES: u8 = 3;
/// 1.2.840.10045.2.1: a public key on an elliptic curve.
const EC_PUBLIC_KEY: [u8; 7] = [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01];
/// 1.2.840.10045.4.3: ECDSA with a SHA-2 hash. One more number follows.
const ECDSA_SHA2: [u8; 7] = [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03];
/// 1.2.156.10197.1: the algorithms of GM/T 0006-2012 (*from memory*). One more
/// number follows, which takes two bytes.
const SHANGMI: [u8; 6] = [0x2A, 0x81, 0x1C, 0xCF, 0x55, 0x01];

/// SubjectPublicKeyInfo of an asymmetric key [RFC 3279 §2.3; RFC 5480 §2]; none
/// for other objects.
pub(crate) fn public_key(public: &Public) -> Option<Vec<u8>> {
    let (algorithm, key) = match &public.details {
        Details::Rsa { exponent, modulus, .. } => (
            with_null(&pkcs1(RSA_ENCRYPTION)),
            element(
                SEQUENCE,
                &[&integer(modulus), &integer(&exponent_of(*exponent).to_be_bytes())],
            ),
        ),
        Details::Ecc { curve, x, y, .. } => {
            let curve: &[u8] = match curve {
                CurveId::P256 => &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07],
                CurveId::P384 => &[0x2B, 0x81, 0x04, 0x00, 0x22],
                CurveId::P521 => &[0x2B, 0x81, 0x04, 0x00, 0x23],
                CurveId::Sm2 => &[0x2A, 0x81, 0x1C, 0xCF, 0x55, 0x01, 0x82, 0x2D],
            };
            // An uncompressed point.
            let point: Vec<u8> = [4].iter().chain(&x[..]).chain(&y[..]).copied().collect();
            (element(SEQUENCE, &[&identifier(&EC_PUBLIC_KEY), &identifier(curve)]), point)
        }
        Details::KeyedHash { .. } | Details::Cipher { .. } => return None,
    };
    // No bit of the last byte is unused.
    Some(element(SEQUENCE, &[&algorithm, &element(BIT_STRING, &[&[0], &key])]))
}

/// AlgorithmIdentifier of a signature [RFC 4055 §3, §5; RFC 5758 §3.2; NIST CSOR];
/// none for schemes that certificates do not know.
pub(crate) fn signature_algorithm(scheme: Scheme, signer: &Public) -> Option<Vec<u8>> {
    let hash = scheme.hash?;
    match scheme.algorithm {
        RSASSA => Some(with_null(&match hash {
            Hash::Sha1 => pkcs1(5),
            Hash::Sha256 => pkcs1(11),
            Hash::Sha384 => pkcs1(12),
            Hash::Sha512 => pkcs1(13),
            Hash::Sm3 => extended(&SHANGMI, &[0x83, 0x78]),
            Hash::Sha3_256 => nist(NIST_SIGNATURES, 14),
            Hash::Sha3_384 => nist(NIST_SIGNATURES, 15),
            Hash::Sha3_512 => nist(NIST_SIGNATURES, 16),
        })),
        RSAPSS => {
            let Details::Rsa { key_bits, .. } = &signer.details else { return None };
            let size = RsaSize::from_bits(u32::from(*key_bits))?;
            let salt = pss::salt_length(size, hash.algorithm())?;
            Some(element(SEQUENCE, &[&pkcs1(RSASSA_PSS), &pss_parameters(hash, salt)]))
        }
        ECDSA => Some(element(
            SEQUENCE,
            &[&match hash {
                Hash::Sha1 => identifier(&[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x01]),
                Hash::Sha256 => extended(&ECDSA_SHA2, &[2]),
                Hash::Sha384 => extended(&ECDSA_SHA2, &[3]),
                Hash::Sha512 => extended(&ECDSA_SHA2, &[4]),
                // Only with SM2.
                Hash::Sm3 => return None,
                Hash::Sha3_256 => nist(NIST_SIGNATURES, 10),
                Hash::Sha3_384 => nist(NIST_SIGNATURES, 11),
                Hash::Sha3_512 => nist(NIST_SIGNATURES, 12),
            }],
        )),
        SM2 if hash == Hash::Sm3 => Some(element(SEQUENCE, &[&extended(&SHANGMI, &[0x83, 0x75])])),
        _ => None,
    }
}

/// RSASSA-PSS-params. What is as the standard says without them, which is all of it
/// for SHA-1, is left out.
fn pss_parameters(hash: Hash, salt: usize) -> Vec<u8> {
    let hash_algorithm = with_null(&match hash {
        Hash::Sha1 => return element(SEQUENCE, &[]),
        Hash::Sha256 => nist(NIST_HASHES, 1),
        Hash::Sha384 => nist(NIST_HASHES, 2),
        Hash::Sha512 => nist(NIST_HASHES, 3),
        Hash::Sm3 => extended(&SHANGMI, &[0x83, 0x11]),
        Hash::Sha3_256 => nist(NIST_HASHES, 8),
        Hash::Sha3_384 => nist(NIST_HASHES, 9),
        Hash::Sha3_512 => nist(NIST_HASHES, 10),
    });
    let mask = element(SEQUENCE, &[&pkcs1(MASK_GENERATION_1), &hash_algorithm]);
    element(
        SEQUENCE,
        &[
            &element(explicit(0), &[&hash_algorithm]),
            &element(explicit(1), &[&mask]),
            &element(explicit(2), &[&integer(&salt.to_be_bytes())]),
        ],
    )
}

fn with_null(identifier: &[u8]) -> Vec<u8> {
    element(SEQUENCE, &[identifier, &element(NULL, &[])])
}

fn pkcs1(number: u8) -> Vec<u8> {
    extended(&PKCS1, &[number])
}

fn nist(kind: u8, number: u8) -> Vec<u8> {
    extended(&NIST, &[kind, number])
}

/// An object identifier below another one.
fn extended(above: &[u8], numbers: &[u8]) -> Vec<u8> {
    identifier(&[above, numbers].concat())
}
