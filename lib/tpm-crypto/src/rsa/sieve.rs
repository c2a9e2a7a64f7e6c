//! Small divisors of numbers in a row.
//!
//! Nearly all of the numbers among which a prime is looked for have a small
//! divisor. The remainders of the first one are computed; those of each further
//! one follow by adding the remainders of the step. All remainders are looked at
//! each time, so that neither memory nor time tells which divisor it was, only
//! that there is one.

use crypto_bigint::{Limb, NonZero, Reciprocal, Uint};
use zeroize::Zeroize;

/// Divisors are tried below this bound. Beyond it, they cost more than the tests
/// that they save; and the sum of two remainders has to fit 16 bits.
const BOUND: usize = 1 << 15;

/// Primes from 3 up to the bound.
const DIVISORS: usize = 3511;

/// Products of consecutive divisors, each below 2⁶⁴.
const PRODUCTS: usize = 820;

/// The divisors, and where in them each product starts and ends.
struct Divisors {
    primes: [u16; DIVISORS],
    products: [(Reciprocal, usize, usize); PRODUCTS],
}

static SMALL: Divisors = divisors();

/// A number on its way, by its remainders.
pub(super) struct Sieve {
    remainders: [u16; DIVISORS],
    of_step: [u16; DIVISORS],
}

impl Sieve {
    /// Begins with `first`, to go on in steps of `step`.
    pub(super) fn new<const L: usize, const S: usize>(first: &Uint<L>, step: &Uint<S>) -> Self {
        Self { remainders: remainders(first), of_step: remainders(step) }
    }

    /// Whether the number is a multiple of a small prime. A small prime is one of
    /// itself: numbers are larger here.
    pub(super) fn has_divisor(&self) -> bool {
        self.remainders.iter().fold(false, |found, rest| found | (*rest == 0))
    }

    /// Goes on to the next number.
    pub(super) fn advance(&mut self) {
        let steps = self.of_step.iter().zip(&SMALL.primes);
        for (rest, (step, prime)) in self.remainders.iter_mut().zip(steps) {
            // What is below the prime already wraps round to a large number.
            let sum = rest.wrapping_add(*step);
            *rest = sum.min(sum.wrapping_sub(*prime));
        }
    }
}

impl Drop for Sieve {
    fn drop(&mut self) {
        self.remainders.zeroize();
        self.of_step.zeroize();
    }
}

fn remainders<const L: usize>(number: &Uint<L>) -> [u16; DIVISORS] {
    let mut remainders = [0; DIVISORS];
    for (reciprocal, start, end) in &SMALL.products {
        let rest = number.rem_limb_with_reciprocal(reciprocal).0;
        let primes = &SMALL.primes[*start..*end];
        for (remainder, prime) in remainders[*start..*end].iter_mut().zip(primes) {
            // Below a prime of 16 bits.
            *remainder = (rest % u64::from(*prime)) as u16;
        }
    }
    remainders
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
mod tests {
    use crypto_bigint::U1024;

    use super::*;

    #[test]
    fn divisors_are_found_where_they_are() {
        // From 2^512 on in steps of 2^64 + 1, against divisions.
        let step = U1024::ONE.shl(64_u32).wrapping_add(&U1024::ONE);
        let mut number = U1024::ONE.shl(512_u32).wrapping_add(&U1024::ONE);
        let mut sieve = Sieve::new(&number, &step);
        let mut found = 0;
        for _ in 0..200 {
            let divided = SMALL.primes.iter().any(|prime| {
                let prime = NonZero::new(Limb(u64::from(*prime))).unwrap();
                number.rem_limb(prime).0 == 0
            });
            assert_eq!(sieve.has_divisor(), divided);
            found += u32::from(divided);
            number = number.wrapping_add(&step);
            sieve.advance();
        }
        assert!(found > 100 && found < 200, "{found}");
    }

    #[test]
    fn the_first_and_the_last_divisor_count() {
        for prime in [3_u64, 5, 8191, 32749] {
            let number = U1024::from_u64(prime).wrapping_mul(&U1024::from_u64(65537));
            assert!(Sieve::new(&number, &U1024::ONE).has_divisor(), "{prime}");
        }
        assert!(!Sieve::new(&U1024::from_u64(65537 * 65537), &U1024::ONE).has_divisor());
    }
}
