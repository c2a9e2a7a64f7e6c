//! Primes and numbers that only look like primes.

use crypto_bigint::U1024;

use super::*;
use crate::test_vectors::bytes;

fn verdict(hexadecimal: &str) -> bool {
    let mut padded = alloc::vec![0; 128];
    let number = bytes(hexadecimal);
    padded[128 - number.len()..].copy_from_slice(&number);
    let number = Odd::new(U1024::from_be_slice(&padded)).unwrap();
    is_prime(&number, 5).unwrap()
}

/// Mersenne primes, whose primality has been proved.
#[test]
fn proved_primes_pass() {
    for exponent in [127_u32, 521, 607] {
        let number = U1024::ONE.shl(exponent).wrapping_sub(&U1024::ONE);
        assert!(is_prime(&Odd::new(number).unwrap(), 5).unwrap(), "2^{exponent} - 1");
    }
}

/// Mersenne numbers of prime exponent that are composite: 2 is no witness
/// against any.
#[test]
fn strong_pseudoprimes_to_base_two_fail() {
    for exponent in [11_u32, 101, 137, 257] {
        let number = U1024::ONE.shl(exponent).wrapping_sub(&U1024::ONE);
        let number = Odd::new(number).unwrap();
        assert!(MillerRabin::new(&number).passes_with_two(), "2^{exponent} - 1");
        assert!(!is_prime(&number, 5).unwrap(), "2^{exponent} - 1");
    }
}

/// Products of primes, and a Carmichael number, which Fermat's test takes for a
/// prime with nearly every base.
#[test]
fn composites_fail() {
    // 65537 · 65539, and 2^127 - 1 squared.
    assert!(!verdict("0100040003"));
    let mersenne = U1024::ONE.shl(127_u32).wrapping_sub(&U1024::ONE);
    let square = Odd::new(mersenne.wrapping_mul(&mersenne)).unwrap();
    assert!(!is_prime(&square, 5).unwrap());
    // (6k + 1)(12k + 1)(18k + 1), k = 1515.
    let product = 9091_u64 * 18181 * 27271;
    assert!(!is_prime(&Odd::new(U1024::from_u64(product)).unwrap(), 5).unwrap());
}

/// Base 2 by doubling is what any base is by multiplying.
#[test]
fn both_ways_to_test_with_two_agree() {
    for number in (9001..9601_u64).step_by(2) {
        let number = Odd::new(U1024::from_u64(number)).unwrap();
        let test = MillerRabin::new(&number);
        assert_eq!(test.passes_with_two(), test.passes(&U1024::from_u8(2)), "{number}");
    }
}
