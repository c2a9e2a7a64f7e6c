//! The schemes of PKCS #1 version 1.5: RSASSA signatures and RSAES encryption
//! [RFC 8017 §7.2, §8.2].

use alloc::{vec, vec::Vec};

use subtle::{Choice, ConditionallySelectable, ConstantTimeEq, ConstantTimeLess};

use super::{
    error::RsaError,
    key::{RsaPrivateKey, RsaPublicKey},
};
use crate::{
    hash::HashAlgorithm,
    provider::Rsa,
    random::RandomStream,
    secret::{Secret, equal},
};

/// What stands around a message at least: three fixed bytes, eight random ones.
const OVERHEAD: usize = 11;

/// Signs `digest`, which is one of `hash`.
///
/// # Errors
/// [`RsaError::DigestSize`] when the digest is not as long as those of `hash`;
/// the errors of [`Rsa::private_operation`].
pub fn sign(
    rsa: &dyn Rsa,
    key: &RsaPrivateKey,
    hash: HashAlgorithm,
    digest: &[u8],
    blinding: &mut dyn RandomStream,
) -> Result<Vec<u8>, RsaError> {
    let encoded = encode_digest(hash, digest, key.public().size().bytes())?;
    let signature = rsa.private_operation(key, &encoded, blinding)?;
    Ok(signature.as_bytes().to_vec())
}

/// Checks a signature of `digest`, which is one of `hash`. The whole block is
/// compared with the one that a signer makes, so that nothing in it is parsed.
///
/// # Errors
/// [`RsaError::BadSignature`] when it is not one of this key over this digest;
/// [`RsaError::DigestSize`] when the digest is not as long as those of `hash`.
pub fn verify(
    rsa: &dyn Rsa,
    key: &RsaPublicKey,
    hash: HashAlgorithm,
    digest: &[u8],
    signature: &[u8],
) -> Result<(), RsaError> {
    let expected = encode_digest(hash, digest, key.size().bytes())?;
    if signature.len() != key.size().bytes() {
        return Err(RsaError::BadSignature);
    }
    match rsa.public_operation(key, signature) {
        Ok(block) if equal(&block, &expected) => Ok(()),
        Ok(_) | Err(RsaError::MessageTooLarge) => Err(RsaError::BadSignature),
        Err(other) => Err(other),
    }
}

/// Encrypts `message`, with padding drawn from `stream`.
///
/// # Errors
/// [`RsaError::MessageTooLong`] when it does not fit; [`RsaError::Random`] or
/// [`RsaError::NotRandom`] when the stream fails.
pub fn encrypt(
    rsa: &dyn Rsa,
    key: &RsaPublicKey,
    message: &[u8],
    stream: &mut dyn RandomStream,
) -> Result<Vec<u8>, RsaError> {
    let size = key.size().bytes();
    let largest = size - OVERHEAD;
    if message.len() > largest {
        return Err(RsaError::MessageTooLong { largest, found: message.len() });
    }
    let mut block = Secret::zeroed(size);
    let (head, tail) = block.as_mut_bytes().split_at_mut(size - message.len());
    tail.copy_from_slice(message);
    if let [_, kind, padding @ .., _] = head {
        *kind = 2;
        for byte in padding {
            *byte = nonzero(stream)?;
        }
    }
    rsa.public_operation(key, block.as_bytes())
}

/// Decrypts. Whether the padding is right is found out in constant time, but
/// the answer tells it, as this scheme has it: whoever can ask often enough
/// decrypts without the key (Bleichenbacher's attack). Only use it where a TPM
/// has to.
///
/// # Errors
/// [`RsaError::BadCiphertext`] when the padding is wrong or the ciphertext has
/// not the modulus' size; the errors of [`Rsa::private_operation`].
pub fn decrypt(
    rsa: &dyn Rsa,
    key: &RsaPrivateKey,
    ciphertext: &[u8],
    blinding: &mut dyn RandomStream,
) -> Result<Secret, RsaError> {
    if ciphertext.len() != key.public().size().bytes() {
        return Err(RsaError::BadCiphertext);
    }
    let block = rsa.private_operation(key, ciphertext, blinding)?;
    let [first, kind, rest @ ..] = block.as_bytes() else {
        return Err(RsaError::BadCiphertext);
    };
    let mut found = Choice::from(0);
    let mut padding = 0_u32;
    for (byte, at) in rest.iter().zip(0_u32..) {
        let ends = byte.ct_eq(&0) & !found;
        padding.conditional_assign(&at, ends);
        found |= ends;
    }
    let valid = first.ct_eq(&0) & kind.ct_eq(&2) & found & !padding.ct_lt(&8);
    if bool::from(valid) {
        rest.get(padding as usize + 1..).map(Secret::from).ok_or(RsaError::BadCiphertext)
    } else {
        Err(RsaError::BadCiphertext)
    }
}

/// A byte of the stream that is not zero.
fn nonzero(stream: &mut dyn RandomStream) -> Result<u8, RsaError> {
    // A random stream gives 64 zeros in a row less than once in 2⁵⁰⁰ times.
    const TRIES: u32 = 64;
    for _ in 0..TRIES {
        let mut byte = [0];
        stream.fill(&mut byte)?;
        if byte != [0] {
            return Ok(byte[0]);
        }
    }
    Err(RsaError::NotRandom(TRIES))
}

/// EMSA-PKCS1-v1_5 [RFC 8017 §9.2].
fn encode_digest(hash: HashAlgorithm, digest: &[u8], size: usize) -> Result<Vec<u8>, RsaError> {
    if digest.len() != hash.digest_size() {
        return Err(RsaError::DigestSize);
    }
    let prefix = digest_info(hash);
    let padding =
        size.checked_sub(prefix.len() + digest.len() + OVERHEAD).ok_or(RsaError::DigestSize)?;
    let mut block = vec![0, 1];
    block.resize(2 + 8 + padding, 0xFF);
    block.push(0);
    block.extend_from_slice(prefix);
    block.extend_from_slice(digest);
    Ok(block)
}

/// The DER encoding of a DigestInfo up to the digest [RFC 8017 §9.2 note 1;
/// SHA-3: the identifiers of NIST's CSOR; SM3: GM/T 0006-2012, *from memory*].
const fn digest_info(hash: HashAlgorithm) -> &'static [u8] {
    match hash {
        HashAlgorithm::Sha1 => &[
            0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2B, 0x0E, 0x03, 0x02, 0x1A, 0x05, 0x00, 0x04,
            0x14,
        ],
        HashAlgorithm::Sha256 => const { &nist_digest_info(1, 32) },
        HashAlgorithm::Sha384 => const { &nist_digest_info(2, 48) },
        HashAlgorithm::Sha512 => const { &nist_digest_info(3, 64) },
        // 1.2.156.10197.1.401.
        HashAlgorithm::Sm3 => &[
            0x30, 0x30, 0x30, 0x0C, 0x06, 0x08, 0x2A, 0x81, 0x1C, 0xCF, 0x55, 0x01, 0x83, 0x11,
            0x05, 0x00, 0x04, 0x20,
        ],
        HashAlgorithm::Sha3_256 => const { &nist_digest_info(8, 32) },
        HashAlgorithm::Sha3_384 => const { &nist_digest_info(9, 48) },
        HashAlgorithm::Sha3_512 => const { &nist_digest_info(10, 64) },
    }
}

/// The same for hash number `arc` of NIST's (2.16.840.1.101.3.4.2).
const fn nist_digest_info(arc: u8, size: u8) -> [u8; 19] {
    [
        0x30,
        17 + size,
        0x30,
        0x0D,
        0x06,
        0x09,
        0x60,
        0x86,
        0x48,
        0x01,
        0x65,
        0x03,
        0x04,
        0x02,
        arc,
        0x05,
        0x00,
        0x04,
        size,
    ]
}
