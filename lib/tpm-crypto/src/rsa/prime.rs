//! Whether a number is a prime [FIPS 186-5 appendix B].
//!
//! The verdict is a function of the number alone, so that a key derived from a
//! seed is the same everywhere: the bases of the Miller-Rabin test are drawn from
//! a generator seeded with the candidate. A Lucas test besides makes a composite
//! that passes unknown, whatever the bases.
//!
//! Nearly all candidates are composite and thrown away, hence the order of
//! tests: small divisors, one Miller-Rabin round, and the rest for what survives.
//! Which candidates failed early shows in the time taken; that says nothing of
//! use about the one that is kept, since candidates are independent.

use crypto_bigint::{
    CtAssign, Limb, NonZero, Odd, Reciprocal, Uint,
    modular::{FixedMontyForm, FixedMontyParams},
};
use crypto_primes::hazmat::{LucasCheck, SelfridgeBase, lucas_test};
use zeroize::Zeroizing;

use crate::{
    drbg::HmacDrbg,
    hash::HashAlgorithm,
    random::{RandomError, RandomStream},
    rsa::number,
};

/// Divisors are tried below this bound. Beyond it, a division costs about as
/// much as it saves.
const BOUND: usize = 8192;

/// Primes from 3 up to the bound.
const DIVISORS: usize = 1027;

/// Products of consecutive divisors, each below 2⁶⁴.
const PRODUCTS: usize = 199;

/// The divisors, and where in them each product starts and ends.
struct Divisors {
    primes: [u16; DIVISORS],
    products: [(Reciprocal, usize, usize); PRODUCTS],
}

static SMALL: Divisors = divisors();

/// Whether `candidate`, a number of `L` limbs with its highest bit set, is prime
/// but for a probability below 2⁻¹¹² [FIPS 186-5 table B.1].
///
/// # Errors
/// [`RandomError`] never in practice: the bases come from a fresh generator.
pub(super) fn is_prime<const L: usize>(candidate: &Odd<Uint<L>>) -> Result<bool, RandomError> {
    if has_small_divisor(candidate.as_ref()) {
        return Ok(false);
    }
    let test = MillerRabin::new(candidate);
    if !test.passes_with_two() {
        return Ok(false);
    }
    let seed = number::bytes(candidate.as_ref());
    let mut bases = HmacDrbg::new(HashAlgorithm::Sha256, &[b"Miller-Rabin", seed.as_bytes()]);
    for _ in 0..rounds(Uint::<L>::BITS) {
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
    Ok(lucas_test(*candidate, SelfridgeBase, LucasCheck::Strong).is_probably_prime())
}

/// The rounds of FIPS 186-5 table B.1 (*from memory*: 5 for primes of 1024 bits,
/// 4 for 1536 and 2048).
const fn rounds(bits: u32) -> u32 {
    if bits <= 1024 { 5 } else { 4 }
}

/// The Miller-Rabin test of one candidate [FIPS 186-5 §B.3.1].
struct MillerRabin<const L: usize> {
    params: FixedMontyParams<L>,
    one: FixedMontyForm<L>,
    minus_one: FixedMontyForm<L>,
    /// The candidate less 1, without its factors of two: `candidate - 1 = 2^twos · odd_part`.
    odd_part: Zeroizing<Uint<L>>,
    twos: u32,
}

impl<const L: usize> MillerRabin<L> {
    fn new(candidate: &Odd<Uint<L>>) -> Self {
        let params = FixedMontyParams::new(*candidate);
        let one = FixedMontyForm::one(&params);
        let even = candidate.as_ref().wrapping_sub(&Uint::ONE);
        let twos = even.trailing_zeros();
        Self {
            params,
            one,
            minus_one: one.neg(),
            odd_part: Zeroizing::new(even.wrapping_shr(twos)),
            twos,
        }
    }

    /// One round with a base of any value.
    fn passes(&self, base: &Uint<L>) -> bool {
        self.accepts(FixedMontyForm::new(base, &self.params).pow(&self.odd_part))
    }

    /// One round with base 2, whose powers are doublings, which cost next to
    /// nothing.
    fn passes_with_two(&self) -> bool {
        let mut power = self.one;
        for bit in (0..Uint::<L>::BITS).rev() {
            power = power.square();
            let doubled = power.double();
            power.ct_assign(&doubled, self.odd_part.bit(bit));
        }
        self.accepts(power)
    }

    /// Whether a base raised to the odd part is 1, or becomes -1 by squaring.
    fn accepts(&self, mut power: FixedMontyForm<L>) -> bool {
        if power == self.one || power == self.minus_one {
            return true;
        }
        for _ in 1..self.twos {
            power = power.square();
            if power == self.minus_one {
                return true;
            }
        }
        false
    }
}

fn has_small_divisor<const L: usize>(candidate: &Uint<L>) -> bool {
    SMALL.products.iter().any(|(reciprocal, start, end)| {
        let rest = candidate.rem_limb_with_reciprocal(reciprocal).0;
        SMALL.primes[*start..*end].iter().any(|prime| rest.is_multiple_of(u64::from(*prime)))
    })
}

/// The sieve of Eratosthenes, and the products. Computed by the compiler, which
/// also finds out if the sizes do not fit.
const fn divisors() -> Divisors {
    let mut composite = [false; BOUND];
    let mut primes = [0; DIVISORS];
    let mut count = 0;
    let mut number = 3;
    while number < BOUND {
        if !composite[number] {
            primes[count] = number as u16;
            count += 1;
            let mut multiple = number * number;
            while multiple < BOUND {
                composite[multiple] = true;
                multiple += number;
            }
        }
        number += 2;
    }
    assert!(count == DIVISORS, "the table has exactly the primes below the bound");

    let one = Reciprocal::new(NonZero::<Limb>::new_unwrap(Limb::ONE));
    let mut products = [(one, 0, 0); PRODUCTS];
    let mut filled = 0;
    let mut start = 0;
    while start < DIVISORS {
        let mut product: u64 = 1;
        let mut end = start;
        while end < DIVISORS
            && let Some(larger) = product.checked_mul(primes[end] as u64)
        {
            product = larger;
            end += 1;
        }
        let divisor = NonZero::<Limb>::new_unwrap(Limb(product));
        products[filled] = (Reciprocal::new(divisor), start, end);
        filled += 1;
        start = end;
    }
    assert!(filled == PRODUCTS, "the table has exactly the products of the primes");
    Divisors { primes, products }
}

#[cfg(test)]
mod tests;
