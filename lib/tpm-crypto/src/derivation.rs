//! Keys and masks derived from secrets: KDFa, KDFe, MGF1, XOR obfuscation.
//!
//! Labels are given without their terminating zero, which the derivations add.
//! A number of bits that is not a multiple of eight clears the unused bits of
//! the first byte [TPM 2.0 Part 1 §11.4.10].

use alloc::vec::Vec;

use crate::{
    hash::{HashAlgorithm, Hasher},
    hmac::Hmac,
    secret::Secret,
};

/// KDFa: `bits` bits by HMAC in counter mode [TPM 2.0 Part 1 §11.4.10.2,
/// SP 800-108 §4.1]. Each block is the HMAC of counter, label, a zero byte,
/// both contexts and the number of bits.
#[must_use]
pub fn kdfa(
    algorithm: HashAlgorithm,
    key: &[u8],
    label: &[u8],
    context_u: &[u8],
    context_v: &[u8],
    bits: u32,
) -> Secret {
    let keyed = Hmac::new(algorithm, key);
    expand(bits, |counter| {
        let mut hmac = keyed.clone();
        for part in
            [&counter.to_be_bytes()[..], label, &[0], context_u, context_v, &bits.to_be_bytes()]
        {
            hmac.update(part);
        }
        hmac.finish()
    })
}

/// KDFe: `bits` bits from the x-coordinate `z` of a shared point [TPM 2.0
/// Part 1 §11.4.10.3, SP 800-56A §5.8.2.1]. Each block is the hash of counter,
/// `z`, `usage`, a zero byte and the x-coordinates of both parties.
#[must_use]
pub fn kdfe(
    algorithm: HashAlgorithm,
    z: &[u8],
    usage: &[u8],
    party_u: &[u8],
    party_v: &[u8],
    bits: u32,
) -> Secret {
    expand(bits, |counter| {
        algorithm.digest(&[&counter.to_be_bytes(), z, usage, &[0], party_u, party_v])
    })
}

/// Exclusive-ors `data` with the mask that KDFa derives with the label "XOR"
/// [TPM 2.0 Part 1 §11.4.10.4]. Doing it twice gives the data back.
///
/// # Errors
/// [`TooLong`] when the mask would have more bits than KDFa can count, that is,
/// for half a GiB and more.
pub fn xor_obfuscation(
    algorithm: HashAlgorithm,
    key: &[u8],
    context_u: &[u8],
    context_v: &[u8],
    data: &mut [u8],
) -> Result<(), TooLong> {
    let bits = u32::try_from(data.len())
        .ok()
        .and_then(|bytes| bytes.checked_mul(8))
        .ok_or(TooLong(data.len()))?;
    let mask = kdfa(algorithm, key, b"XOR", context_u, context_v, bits);
    for (byte, mask) in data.iter_mut().zip(mask.as_bytes()) {
        *byte ^= mask;
    }
    Ok(())
}

/// More data than one mask covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} bytes are more than one mask covers: split them")]
pub struct TooLong(pub usize);

/// Exclusive-ors `data` with the mask that MGF1 makes of `seed` [RFC 8017
/// §B.2.1]. Data longer than 2³² digests would repeat the mask; RSA blocks,
/// which this is for, are below a KiB.
pub fn mask_with_mgf1(algorithm: HashAlgorithm, seed: &[u8], data: &mut [u8]) {
    let mut seeded = Hasher::new(algorithm);
    seeded.update(seed);
    for (counter, chunk) in (0_u32..).zip(data.chunks_mut(algorithm.digest_size())) {
        let mut hasher = seeded.clone();
        hasher.update(&counter.to_be_bytes());
        for (byte, mask) in chunk.iter_mut().zip(hasher.finish().as_bytes()) {
            *byte ^= mask;
        }
    }
}

/// The first `bits` bits of the blocks that `block` gives for the counters from
/// 1 on.
fn expand(bits: u32, block: impl Fn(u32) -> crate::hash::Digest) -> Secret {
    let size = bits.div_ceil(8) as usize;
    let mut output = Vec::with_capacity(size);
    // A block has at least 160 bits, so the counter cannot run over.
    for counter in 1.. {
        if output.len() >= size {
            break;
        }
        let digest = block(counter);
        let wanted = (size - output.len()).min(digest.as_bytes().len());
        output.extend_from_slice(&digest.as_bytes()[..wanted]);
    }
    if let (Some(first), unused @ 1..) = (output.first_mut(), size as u32 * 8 - bits) {
        *first &= 0xFF >> unused;
    }
    Secret::new(output)
}

#[cfg(test)]
mod tests;
