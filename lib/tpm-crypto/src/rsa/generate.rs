//! Generation of keys from a stream of bytes: primes with conditions that are
//! based on auxiliary primes [FIPS 186-5 §A.1.6 and §B.9].
//!
//! The same stream gives the same key with every provider, today and later:
//! TPMs derive primary keys anew from a seed. So this is the contract, n being
//! the size of the modulus in bits, for p and then in the same way for q:
//!
//! 1. Two auxiliary primes r₁ and r₂ of 255 bits, for every n. Each is the first
//!    prime from a number on that is one request of 32 bytes, big-endian, with
//!    its highest bit cleared, and the one behind that and the lowest one set.
//! 2. A start X is one request of n/16 bytes, big-endian, with its highest and its
//!    lowest bit set. It is drawn anew while it is below 2^(n/2 - 1/2), which makes
//!    the modulus have its full size, or, for q, does not differ from that of p by
//!    more than 2^(n/2 - 100).
//! 3. Candidates are the odd numbers from X on that are 1 modulo r₁ and -1 modulo
//!    r₂: the first one is Y = X + ((R - X) mod 2·r₁·r₂), and each further one has
//!    2·r₁·r₂ more. A candidate that, less 1, shares a factor with the exponent is
//!    skipped.
//! 4. The first candidate that is prime is the prime. If there is none below
//!    2^(n/2), or q does not differ from p by more than 2^(n/2 - 100), a new start
//!    is drawn. If there is none among 20·(n/2), the stream is called broken (the
//!    limit *from memory*).
//! 5. The private exponent has to be above 2^(n/2). It is the inverse of e modulo
//!    lcm(p - 1, q - 1), hence more than a 2³²nd of that; keys for which
//!    that were not enough are thrown away, and generation starts over. It has
//!    never happened to anyone.
//!
//! The larger prime is not put first: TPMs do not ask for it. How many candidates
//! were tried, and which of them had no small divisor, shows in the time taken.

use crypto_bigint::{CheckedAdd, Limb, NonZero, Odd, Uint};
use zeroize::Zeroizing;

use super::{
    error::RsaError,
    key::{RsaPrivateKey, RsaPublicKey},
    number::{bytes, odd, with_size},
    prime::is_prime,
    sieve::Sieve,
    size::RsaSize,
};
use crate::{random::RandomStream, secret::Secret};

/// Times that generation starts over before the stream is called broken.
const STARTS: u32 = 4;

/// Starts of a search drawn before the stream is called broken: more than half of
/// them are large enough.
const DRAWS: u32 = 128;

/// Limbs of an auxiliary prime.
const A: usize = 4;

/// Limbs of the distance of two candidates, 2·r₁·r₂.
const S: usize = 2 * A;

/// The 64 highest bits of 2^(n/2 - 1/2), that is, of the square root of two,
/// rounded up.
const ROOT_OF_TWO: u64 = 0xB504_F333_F9DE_6485;

/// Generates a key of `size` with the public `exponent`, from `stream` alone.
///
/// # Errors
/// [`RsaError::TooSmall`] for keys of 1024 bits; [`RsaError::Exponent`] unless
/// the exponent is odd and above 65536;
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
    let rounds = Rounds::of(size).ok_or(RsaError::TooSmall(size))?;
    with_size!(size, N, H => {
        for _ in 0..STARTS {
            let p = Found::<H>::search(size, &rounds, exponent, None, stream)?;
            let q = Found::<H>::search(size, &rounds, exponent, Some(&p), stream)?;
            let (p, q) = (&p.prime, &q.prime);
            if !private_exponent_is_large(p, q) {
                continue;
            }
            let modulus: Uint<N> = Odd::as_ref(p).concatenating_mul(Odd::as_ref(q));
            let public = RsaPublicKey::new(bytes(&modulus).as_bytes(), exponent)?;
            return RsaPrivateKey::from_prime(public, bytes(Odd::as_ref(p)).as_bytes());
        }
        Err(RsaError::NotRandom(STARTS))
    })
}

/// The rounds of the Miller-Rabin test that numbers have to pass.
struct Rounds {
    prime: u32,
    auxiliary: u32,
}

impl Rounds {
    /// Those that leave probabilities of error of 2⁻¹¹², 2⁻¹²⁸ and 2⁻¹⁴⁴
    /// [FIPS 186-5 table B.1]. None for 1024 bits, of which that standard makes
    /// no keys [FIPS 186-5 §5.1].
    const fn of(size: RsaSize) -> Option<Self> {
        match size {
            RsaSize::Rsa1024 => None,
            RsaSize::Rsa2048 => Some(Self { prime: 5, auxiliary: 38 }),
            RsaSize::Rsa3072 => Some(Self { prime: 4, auxiliary: 41 }),
            RsaSize::Rsa4096 => Some(Self { prime: 4, auxiliary: 44 }),
        }
    }
}

/// A prime, and where the search for it began.
struct Found<const H: usize> {
    start: Zeroizing<Uint<H>>,
    prime: Zeroizing<Odd<Uint<H>>>,
}

impl<const H: usize> Found<H> {
    /// Searches for a prime that is far enough from `other`.
    fn search(
        size: RsaSize,
        rounds: &Rounds,
        exponent: u32,
        other: Option<&Self>,
        stream: &mut dyn RandomStream,
    ) -> Result<Self, RsaError> {
        let candidates = Candidates::draw(rounds.auxiliary, stream)?;
        let mut drawn = Secret::zeroed(size.prime_bytes());
        for _ in 0..DRAWS {
            stream.fill(drawn.as_mut_bytes())?;
            set_ends(drawn.as_mut_bytes(), 0x80);
            let start =
                Zeroizing::new(*odd::<H>(drawn.as_bytes()).ok_or(RsaError::Prime)?.as_ref());
            if !reaches_root_of_two(&start)
                || other.is_some_and(|other| !is_far(&start, &other.start))
            {
                continue;
            }
            let tries = 20 * size.bits() / 2;
            let prime = candidates.first_prime(&start, exponent, rounds.prime, tries)?;
            if let Some(prime) = prime
                && other.is_none_or(|other| is_far(&prime, &other.prime))
            {
                return Ok(Self { start, prime });
            }
        }
        Err(RsaError::NotRandom(DRAWS))
    }
}

/// Sets the lowest bit, and a bit of the first byte.
fn set_ends(number: &mut [u8], highest: u8) {
    if let Some(first) = number.first_mut() {
        *first |= highest;
    }
    if let Some(last) = number.last_mut() {
        *last |= 1;
    }
}

/// The numbers among which a prime is looked for: 1 modulo one auxiliary prime and
/// -1 modulo the other, and odd.
struct Candidates {
    /// The least one.
    residue: Zeroizing<Uint<S>>,
    step: Zeroizing<NonZero<Uint<S>>>,
}

impl Candidates {
    fn draw(rounds: u32, stream: &mut dyn RandomStream) -> Result<Self, RsaError> {
        let first = auxiliary_prime(rounds, stream)?;
        let second = auxiliary_prime(rounds, stream)?;
        // One prime twice has no inverse, and comes from no random stream.
        let inverse = first.rem(second.as_nz_ref()).invert_odd_mod(&second);
        let inverse = Zeroizing::new(inverse.into_option().ok_or(RsaError::NotRandom(2))?);
        // 1 + 2 · first · steps, which is -1 modulo the second.
        let steps = Zeroizing::new(Odd::as_ref(&second).wrapping_sub(&inverse));
        let product: Zeroizing<Uint<S>> =
            Zeroizing::new(Odd::as_ref(&first).concatenating_mul(&*steps));
        let both: Zeroizing<Uint<S>> =
            Zeroizing::new(Odd::as_ref(&first).concatenating_mul(Odd::as_ref(&second)));
        let step = NonZero::new(both.shl_vartime(1)).into_option().ok_or(RsaError::Prime)?;
        Ok(Self {
            residue: Zeroizing::new(product.shl_vartime(1).wrapping_add(&Uint::ONE)),
            step: Zeroizing::new(step),
        })
    }

    /// The first prime from `start` on; none if there is none of its size.
    fn first_prime<const H: usize>(
        &self,
        start: &Uint<H>,
        exponent: u32,
        rounds: u32,
        tries: u32,
    ) -> Result<Option<Zeroizing<Odd<Uint<H>>>>, RsaError> {
        let distance = Zeroizing::new(self.residue.sub_mod(&start.rem(&self.step), &self.step));
        let step: Zeroizing<Uint<H>> = Zeroizing::new(NonZero::as_ref(&self.step).resize());
        let Some(first) = start.checked_add(&distance.resize()).into_option() else {
            return Ok(None);
        };
        let mut candidate = Zeroizing::new(first);
        let mut sieve = Sieve::new(&*candidate, NonZero::as_ref(&self.step));
        for _ in 0..tries {
            if !sieve.has_divisor() && shares_no_factor(&candidate, exponent) {
                let odd =
                    Zeroizing::new(Odd::new(*candidate).into_option().ok_or(RsaError::Prime)?);
                if is_prime(&odd, rounds)? {
                    return Ok(Some(odd));
                }
            }
            let Some(next) = candidate.checked_add(&step).into_option() else {
                return Ok(None);
            };
            *candidate = next;
            sieve.advance();
        }
        Err(RsaError::NotRandom(tries))
    }
}

/// An auxiliary prime of 255 bits.
fn auxiliary_prime(
    rounds: u32,
    stream: &mut dyn RandomStream,
) -> Result<Zeroizing<Odd<Uint<A>>>, RsaError> {
    const TWO: Uint<A> = Uint::from_u8(2);
    let mut drawn = Secret::zeroed(A * 8);
    stream.fill(drawn.as_mut_bytes())?;
    if let Some(first) = drawn.as_mut_bytes().first_mut() {
        *first &= 0x7F;
    }
    set_ends(drawn.as_mut_bytes(), 0x40);
    let mut candidate = Zeroizing::new(odd::<A>(drawn.as_bytes()).ok_or(RsaError::Prime)?);
    let mut sieve = Sieve::new(Odd::as_ref(&candidate), &TWO);
    // Primes lie far closer than their size of numbers; the highest bit is free.
    while sieve.has_divisor() || !is_prime(&candidate, rounds)? {
        let next = Odd::as_ref(&candidate).wrapping_add(&TWO);
        *candidate = Odd::new(next).into_option().ok_or(RsaError::Prime)?;
        sieve.advance();
    }
    Ok(candidate)
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
