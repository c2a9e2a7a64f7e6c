//! Whether a number is a prime [FIPS 186-5 appendix B].
//!
//! The verdict is a function of the number alone, so that a key derived from a
//! seed is the same everywhere: the bases of the Miller-Rabin test are drawn from
//! a generator seeded with the candidate. Candidates are drawn, too, so that the
//! bounds of the standard's table hold.
//!
//! Nearly all candidates are composite and thrown away, hence the order of
//! tests: first one Miller-Rabin round whose base makes it cheap, and the rest
//! for what survives.

use crypto_bigint::{
    CtAssign, CtEq, Odd, Uint,
    modular::{FixedMontyForm, FixedMontyParams},
};
use zeroize::Zeroizing;

use crate::{
    drbg::HmacDrbg,
    hash::HashAlgorithm,
    random::{RandomError, RandomStream},
    rsa::number,
};

/// Whether `candidate` passes as many Miller-Rabin rounds as asked for
/// [FIPS 186-5 §B.3.1], and one more.
///
/// # Errors
/// [`RandomError`] never in practice: the bases come from a fresh generator.
pub(super) fn is_prime<const L: usize>(
    candidate: &Odd<Uint<L>>,
    rounds: u32,
) -> Result<bool, RandomError> {
    let test = MillerRabin::new(candidate);
    if !test.passes_with_two() {
        return Ok(false);
    }
    let seed = number::bytes(candidate.as_ref());
    let mut bases = HmacDrbg::new(HashAlgorithm::Sha256, &[b"Miller-Rabin", seed.as_bytes()]);
    for _ in 0..rounds {
        let mut drawn = Zeroizing::new([0_u64; L]);
        for word in drawn.iter_mut() {
            let mut bytes = [0; 8];
            bases.fill(&mut bytes)?;
            *word = u64::from_be_bytes(bytes);
        }
        if !test.passes(&Uint::from_words(*drawn)) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The Miller-Rabin test of one candidate [FIPS 186-5 §B.3.1].
struct MillerRabin<const L: usize> {
    one: Zeroizing<FixedMontyForm<L>>,
    minus_one: Zeroizing<FixedMontyForm<L>>,
    /// The candidate less 1, without its factors of two: `candidate - 1 = 2^twos · odd_part`.
    odd_part: Zeroizing<Uint<L>>,
    twos: u32,
}

impl<const L: usize> MillerRabin<L> {
    fn new(candidate: &Odd<Uint<L>>) -> Self {
        let params = Zeroizing::new(FixedMontyParams::new(*candidate));
        let one = Zeroizing::new(FixedMontyForm::one(&params));
        let even = candidate.as_ref().wrapping_sub(&Uint::ONE);
        let twos = even.trailing_zeros();
        Self {
            minus_one: Zeroizing::new(one.neg()),
            one,
            odd_part: Zeroizing::new(even.wrapping_shr(twos)),
            twos,
        }
    }

    /// One round with a base of any value.
    fn passes(&self, base: &Uint<L>) -> bool {
        let base = FixedMontyForm::new(base, self.one.params());
        self.accepts(base.pow(&*self.odd_part))
    }

    /// One round with base 2, whose powers are doublings, which cost next to
    /// nothing.
    fn passes_with_two(&self) -> bool {
        let mut power = *self.one;
        for word in self.odd_part.as_words().iter().rev() {
            for bit in (0..u64::BITS).rev() {
                power = power.square();
                let twice = power.double();
                let is_set = (word >> bit & 1).ct_eq(&1);
                power.as_montgomery_mut().ct_assign(twice.as_montgomery(), is_set);
            }
        }
        self.accepts(power)
    }

    /// Whether a base raised to the odd part is 1, or becomes -1 by squaring.
    fn accepts(&self, mut power: FixedMontyForm<L>) -> bool {
        if power == *self.one || power == *self.minus_one {
            return true;
        }
        for _ in 1..self.twos {
            power = power.square();
            if power == *self.minus_one {
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests;
