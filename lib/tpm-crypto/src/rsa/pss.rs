//! Probabilistic signatures: RSASSA-PSS [RFC 8017 §8.1].
//!
//! The mask generation function uses the hash of the digest, as TPMs do.

use alloc::vec::Vec;

use super::{
    error::RsaError,
    key::{RsaPrivateKey, RsaPublicKey},
    size::RsaSize,
};
use crate::{
    derivation::mask_with_mgf1,
    hash::HashAlgorithm,
    provider::Rsa,
    random::RandomStream,
    secret::{Secret, equal},
};

/// How long the salt of a signature is, in bytes: as long as the digest, which is
/// what FIPS 186-5 §5.4 allows at most and most software expects. In the one case
/// where that does not fit, a digest of 512 bits with a key of 1024, it is two
/// bytes shorter [FIPS 186-4 §5.5]. None when not even a digest fits.
#[must_use]
pub fn salt_length(size: RsaSize, hash: HashAlgorithm) -> Option<usize> {
    let largest = size.bytes().checked_sub(hash.digest_size() + 2)?;
    Some(hash.digest_size().min(largest))
}

/// Signs `digest`, which is one of `hash`, with a salt drawn from `stream`, from
/// which the blinding is drawn as well.
///
/// # Errors
/// [`RsaError::DigestSize`] when the digest is not as long as those of `hash`,
/// or does not fit; [`RsaError::Random`] when the stream fails; the errors of
/// [`Rsa::private_operation`].
pub fn sign(
    rsa: &dyn Rsa,
    key: &RsaPrivateKey,
    hash: HashAlgorithm,
    digest: &[u8],
    stream: &mut dyn RandomStream,
) -> Result<Vec<u8>, RsaError> {
    if digest.len() != hash.digest_size() {
        return Err(RsaError::DigestSize);
    }
    let size = key.public().size();
    let mut salt = Secret::zeroed(salt_length(size, hash).ok_or(RsaError::DigestSize)?);
    stream.fill(salt.as_mut_bytes())?;

    let trace = hash.digest(&[&[0; 8], digest, salt.as_bytes()]);
    let mut block = Vec::with_capacity(size.bytes());
    block.resize(size.bytes() - hash.digest_size() - 2 - salt.as_bytes().len(), 0);
    block.push(1);
    block.extend_from_slice(salt.as_bytes());
    mask_with_mgf1(hash, trace.as_bytes(), &mut block);
    // The block has one bit less than the modulus.
    if let Some(first) = block.first_mut() {
        *first &= 0x7F;
    }
    block.extend_from_slice(trace.as_bytes());
    block.push(0xBC);
    let signature = rsa.private_operation(key, &block, stream)?;
    Ok(signature.as_bytes().to_vec())
}

/// Checks a signature of `digest`, which is one of `hash`. The salt may have any
/// length, which the block tells.
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
    if digest.len() != hash.digest_size() {
        return Err(RsaError::DigestSize);
    }
    if signature.len() != key.size().bytes() {
        return Err(RsaError::BadSignature);
    }
    let mut block = match rsa.public_operation(key, signature) {
        Err(RsaError::MessageTooLarge) => return Err(RsaError::BadSignature),
        other => other?,
    };
    if salt_matches(hash, digest, &mut block) { Ok(()) } else { Err(RsaError::BadSignature) }
}

/// EMSA-PSS-VERIFY [RFC 8017 §9.1.2]. Everything in it is public.
fn salt_matches(hash: HashAlgorithm, digest: &[u8], block: &mut [u8]) -> bool {
    let Some((last, block)) = block.split_last_mut() else {
        return false;
    };
    let Some(masked) = block.len().checked_sub(hash.digest_size()) else {
        return false;
    };
    let (masked, trace) = block.split_at_mut(masked);
    let Some(first) = masked.first() else {
        return false;
    };
    if *last != 0xBC || first & 0x80 != 0 {
        return false;
    }
    mask_with_mgf1(hash, trace, masked);
    if let Some(first) = masked.first_mut() {
        *first &= 0x7F;
    }
    let Some(marker) = masked.iter().position(|byte| *byte != 0) else {
        return false;
    };
    let (marker, salt) = match &masked[marker..] {
        [marker, salt @ ..] => (*marker, salt),
        [] => return false,
    };
    marker == 1 && equal(trace, hash.digest(&[&[0; 8], digest, salt]).as_bytes())
}
