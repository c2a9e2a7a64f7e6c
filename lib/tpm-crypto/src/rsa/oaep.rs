//! Encryption with optimal asymmetric padding: RSAES-OAEP [RFC 8017 §7.1].
//!
//! One hash serves for the label and for the mask generation function, as TPMs
//! have it. The label is taken as it is: TPMs put a zero byte at its end, which
//! belongs to what is given here.

use alloc::vec::Vec;

use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

use super::{
    error::RsaError,
    key::{RsaPrivateKey, RsaPublicKey},
};
use crate::{
    derivation::mask_with_mgf1, hash::HashAlgorithm, provider::Rsa, random::RandomStream,
    secret::Secret,
};

/// Encrypts `message`, with a seed drawn from `stream`.
///
/// # Errors
/// [`RsaError::MessageTooLong`] when it does not fit; [`RsaError::Random`] when
/// the stream fails.
pub fn encrypt(
    rsa: &dyn Rsa,
    key: &RsaPublicKey,
    hash: HashAlgorithm,
    label: &[u8],
    message: &[u8],
    stream: &mut dyn RandomStream,
) -> Result<Vec<u8>, RsaError> {
    let size = key.size().bytes();
    let largest = size.checked_sub(2 * hash.digest_size() + 2).ok_or(RsaError::DigestSize)?;
    if message.len() > largest {
        return Err(RsaError::MessageTooLong { largest, found: message.len() });
    }
    // A zero byte, the seed, and the data: digest of the label, padding, 1,
    // message.
    let mut block = Secret::zeroed(size);
    let (seed, data) = block.as_mut_bytes()[1..].split_at_mut(hash.digest_size());
    stream.fill(seed)?;
    let (label_digest, rest) = data.split_at_mut(hash.digest_size());
    label_digest.copy_from_slice(hash.digest(&[label]).as_bytes());
    let (padding, tail) = rest.split_at_mut(largest - message.len() + 1);
    if let Some(marker) = padding.last_mut() {
        *marker = 1;
    }
    tail.copy_from_slice(message);
    mask_with_mgf1(hash, seed, data);
    mask_with_mgf1(hash, data, seed);
    rsa.public_operation(key, block.as_bytes())
}

/// Decrypts. What is wrong with a ciphertext is found out in constant time, and
/// not told (Manger's attack).
///
/// # Errors
/// [`RsaError::BadCiphertext`] when it was not made with this key, hash and
/// label; the errors of [`Rsa::private_operation`].
pub fn decrypt(
    rsa: &dyn Rsa,
    key: &RsaPrivateKey,
    hash: HashAlgorithm,
    label: &[u8],
    ciphertext: &[u8],
    blinding: &mut dyn RandomStream,
) -> Result<Secret, RsaError> {
    let size = key.public().size().bytes();
    if ciphertext.len() != size || size < 2 * hash.digest_size() + 2 {
        return Err(RsaError::BadCiphertext);
    }
    let mut block = rsa.private_operation(key, ciphertext, blinding)?;
    let Some((first, rest)) = block.as_mut_bytes().split_first_mut() else {
        return Err(RsaError::BadCiphertext);
    };
    let (seed, data) = rest.split_at_mut(hash.digest_size());
    mask_with_mgf1(hash, data, seed);
    mask_with_mgf1(hash, seed, data);
    let (label_digest, padded) = data.split_at(hash.digest_size());

    let mut valid = first.ct_eq(&0) & label_digest.ct_eq(hash.digest(&[label]).as_bytes());
    let mut found = Choice::from(0);
    let mut marker = 0_u32;
    for (byte, at) in padded.iter().zip(0_u32..) {
        let one = byte.ct_eq(&1);
        marker.conditional_assign(&at, one & !found);
        // Before the marker there are zeros only.
        valid &= found | one | byte.ct_eq(&0);
        found |= one;
    }
    if bool::from(valid & found) {
        padded.get(marker as usize + 1..).map(Secret::from).ok_or(RsaError::BadCiphertext)
    } else {
        Err(RsaError::BadCiphertext)
    }
}
