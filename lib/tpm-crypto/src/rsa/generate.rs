//! Generation of keys from a stream of bytes [FIPS 186-5 §A.1.3].
//!
//! The same stream gives the same key with every provider, today and later:
//! TPMs derive primary keys anew from a seed. So this is the contract:
//!
//! 1. A candidate is one request of half the modulus' size in bytes, seen as a
//!    big-endian number, with its highest and its lowest bit set. The standard
//!    has numbers of that length thrown away when they are below 2^(n/2 - 1/2);
//!    all whose highest bit is clear are, so that setting it saves requests and
//!    leaves the distribution alone. The standard adds 1 to even numbers, which
//!    is setting the lowest bit.
//! 2. A candidate below 2^(n/2 - 1/2) is skipped, which makes the modulus have
//!    its full size; likewise one for which the candidate less 1 shares a factor
//!    with the exponent, and any that is not prime.
//! 3. The first candidate left is p. The second is q, if it differs from p in the
//!    first 100 bits; else it is skipped.
//! 4. Every candidate counts, and after 5·n for p or 10·n for q the stream is
//!    called broken (the limits *from memory*).
//! 5. The private exponent has to be above 2^(n/2). It is the inverse of e modulo
//!    lcm(p - 1, q - 1), hence more than a 2³²nd of that; keys for which
//!    that were not enough are thrown away, and generation starts over. It has
//!    never happened to anyone.
//!
//! The larger prime is not put first: TPMs do not ask for it.

use crypto_bigint::{Limb, NonZero, Odd, Uint};
use zeroize::Zeroizing;

use super::{
    error::RsaError,
    key::{RsaPrivateKey, RsaPublicKey},
    number::{bytes, odd, with_size},
    prime::is_prime,
    size::RsaSize,
};
use crate::{random::RandomStream, secret::Secret};

/// Times that generation starts over before the stream is called broken.
const STARTS: u32 = 4;

/// The 64 highest bits of 2^(n/2 - 1/2), that is, of the square root of two,
/// rounded up.
const ROOT_OF_TWO: u64 = 0xB504_F333_F9DE_6485;

/// Generates a key of `size` with the public `exponent`, from `stream` alone.
///
/// # Errors
/// [`RsaError::Exponent`] unless the exponent is odd and above 65536;
/// [`RsaError::Random`] when the stream fails; [`RsaError::NotRandom`] when it
/// gives no primes.
pub fn generate(
    size: RsaSize,
    exponent: u32,
    stream: &mut dyn RandomStream,
) -> Result<RsaPrivateKey, RsaError> {
    if exponent <= 1 << 16 || exponent.is_multiple_of(2) {
        return Err(RsaError::Exponent(exponent));
    }
    with_size!(size, N, H => {
        for _ in 0..STARTS {
            let p = prime::<H>(size, exponent, 5 * size.bits(), None, stream)?;
            let q = prime::<H>(size, exponent, 10 * size.bits(), Some(&p), stream)?;
            if !private_exponent_is_large(&p, &q) {
                continue;
            }
            let modulus: Uint<N> = Odd::as_ref(&p).concatenating_mul(Odd::as_ref(&q));
            let public = RsaPublicKey::new(bytes(&modulus).as_bytes(), exponent)?;
            return RsaPrivateKey::from_prime(public, bytes(Odd::as_ref(&p)).as_bytes());
        }
        Err(RsaError::NotRandom(STARTS))
    })
}

/// The next prime of the stream that meets the conditions, and is far enough
/// from `other`.
fn prime<const H: usize>(
    size: RsaSize,
    exponent: u32,
    tries: u32,
    other: Option<&Odd<Uint<H>>>,
    stream: &mut dyn RandomStream,
) -> Result<Zeroizing<Odd<Uint<H>>>, RsaError> {
    let mut drawn = Secret::zeroed(size.prime_bytes());
    for _ in 0..tries {
        stream.fill(drawn.as_mut_bytes())?;
        if let Some(first) = drawn.as_mut_bytes().first_mut() {
            *first |= 0x80;
        }
        if let Some(last) = drawn.as_mut_bytes().last_mut() {
            *last |= 1;
        }
        let candidate = Zeroizing::new(odd::<H>(drawn.as_bytes()).ok_or(RsaError::Prime)?);
        if reaches_root_of_two(&candidate)
            && other.is_none_or(|other| is_far(&candidate, other))
            && shares_no_factor(&candidate, exponent)
            && is_prime(&candidate)?
        {
            return Ok(candidate);
        }
    }
    Err(RsaError::NotRandom(tries))
}

/// Whether the candidate is at least 2^(n/2 - 1/2). Decided by its 64 highest
/// bits, for which the bound is rounded up.
fn reaches_root_of_two<const H: usize>(candidate: &Uint<H>) -> bool {
    candidate.as_words().last().is_some_and(|highest| *highest >= ROOT_OF_TWO)
}

/// Whether two candidates differ by more than 2^(n/2 - 100).
fn is_far<const H: usize>(left: &Uint<H>, right: &Uint<H>) -> bool {
    let difference = Zeroizing::new(if left > right {
        left.wrapping_sub(right)
    } else {
        right.wrapping_sub(left)
    });
    difference.bits() > Uint::<H>::BITS - 100
}

/// Whether the candidate less 1 shares no factor with the exponent.
fn shares_no_factor<const H: usize>(candidate: &Uint<H>, exponent: u32) -> bool {
    let Some(divisor) = core::num::NonZeroU32::new(exponent) else {
        return false;
    };
    let rest = candidate.wrapping_sub(&Uint::ONE).rem_limb(NonZero::<Limb>::from_u32(divisor)).0;
    let (mut larger, mut smaller) = (u64::from(exponent), rest);
    while smaller != 0 {
        (larger, smaller) = (smaller, larger % smaller);
    }
    larger == 1
}

/// Whether lcm(p - 1, q - 1), divided by any exponent of 32 bits, is above
/// 2^(n/2).
fn private_exponent_is_large<const H: usize>(p: &Uint<H>, q: &Uint<H>) -> bool {
    let (p, q) = (p.wrapping_sub(&Uint::ONE), q.wrapping_sub(&Uint::ONE));
    // Each is above 2^(n/2 - 1), so the multiple has at least n - 2 bits less
    // those of the divisor.
    p.gcd(&q).bits() < Uint::<H>::BITS - 2 - 32
}

#[cfg(test)]
mod tests;
