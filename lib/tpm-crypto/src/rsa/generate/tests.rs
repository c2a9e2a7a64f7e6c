//! Conditions on generated keys, and their derivation as it is pinned.

use crypto_bigint::{U1024, U2048};

use super::*;
use crate::{drbg::HmacDrbg, hash::HashAlgorithm, random::RandomError, test_vectors::bytes as hex};

fn stream(seed: &[u8]) -> HmacDrbg {
    HmacDrbg::new(HashAlgorithm::Sha256, &[seed])
}

/// Keys derived from a seed: a change here loses everyone's primary keys.
#[test]
fn derivation_is_pinned() {
    let key = generate(RsaSize::Rsa2048, 65537, &mut stream(b"pinned")).unwrap();
    let digest = HashAlgorithm::Sha256.digest(&[key.public().modulus()]);
    assert_eq!(digest.as_bytes(), hex(PINNED));
}

#[test]
fn the_conditions_hold() {
    for seed in [b"one", b"two"] {
        let key = generate(RsaSize::Rsa2048, 65537, &mut stream(seed)).unwrap();
        let p = U1024::from_be_slice(key.p.as_bytes());
        let q = U1024::from_be_slice(key.q.as_bytes());
        assert_eq!(p.concatenating_mul(&q), U2048::from_be_slice(key.public().modulus()));
        assert!(is_far(&p, &q));
        for prime in [p, q] {
            assert!(is_prime(&Odd::new(prime).unwrap(), 5).unwrap());
            // Squares of 2^(1024 - 1/2) and more have 2048 bits.
            let square: U2048 = prime.concatenating_square();
            assert_eq!(square.bits(), 2048);
        }
        for (exponent, prime) in [(&key.d_p, p), (&key.d_q, q)] {
            let exponent = U1024::from_be_slice(exponent.as_bytes());
            let product: U2048 = exponent.concatenating_mul(&U1024::from_u32(65537));
            let group = NonZero::new(prime.wrapping_sub(&U1024::ONE)).unwrap();
            assert_eq!(product.rem(&group), U1024::ONE);
        }
    }
}

#[test]
fn larger_sizes_have_their_size() {
    for size in [RsaSize::Rsa3072, RsaSize::Rsa4096] {
        let key = generate(size, 65537, &mut stream(b"large")).unwrap();
        assert_eq!(key.public().modulus().len(), size.bytes());
        assert_eq!(key.public().size(), size);
        assert_eq!(key.prime().as_bytes().len(), size.prime_bytes());
    }
}

#[test]
fn exponents_that_are_even_or_small_are_refused() {
    for exponent in [0, 1, 3, 65536, 65538] {
        let refused = generate(RsaSize::Rsa2048, exponent, &mut stream(b"exponent"));
        assert_eq!(refused.err(), Some(RsaError::Exponent(exponent)));
    }
}

#[test]
fn small_keys_are_not_made() {
    let refused = generate(RsaSize::Rsa1024, 65537, &mut stream(b"small"));
    assert_eq!(refused.err(), Some(RsaError::TooSmall(RsaSize::Rsa1024)));
}

struct Constant(u8);

impl RandomStream for Constant {
    fn fill(&mut self, output: &mut [u8]) -> Result<(), RandomError> {
        output.fill(self.0);
        Ok(())
    }
}

/// A stream that repeats itself gives one auxiliary prime twice, and is found out.
#[test]
fn a_stream_that_is_not_random_is_found_out() {
    for byte in [0xFF, 0] {
        let refused = generate(RsaSize::Rsa2048, 65537, &mut Constant(byte));
        assert_eq!(refused.err(), Some(RsaError::NotRandom(2)));
    }
}

/// Some requests of a random stream, and the same byte from then on.
struct Drying {
    random: HmacDrbg,
    requests: u32,
    then: u8,
}

impl RandomStream for Drying {
    fn fill(&mut self, output: &mut [u8]) -> Result<(), RandomError> {
        match self.requests.checked_sub(1) {
            Some(left) => {
                self.requests = left;
                self.random.fill(output)
            }
            None => Constant(self.then).fill(output),
        }
    }
}

/// Starts are too small.
#[test]
fn a_stream_that_dries_up_is_found_out() {
    let refused = |requests, then| {
        let mut stream = Drying { random: stream(b"drying"), requests, then };
        generate(RsaSize::Rsa2048, 65537, &mut stream).err()
    };
    assert_eq!(refused(2, 0), Some(RsaError::NotRandom(DRAWS)));
    // All numbers are too near the end of their size for a candidate.
    assert_eq!(refused(2, 0xFF), Some(RsaError::NotRandom(DRAWS)));
}

#[test]
fn candidates_meet_their_conditions() {
    let mut stream = stream(b"candidates");
    let first = auxiliary_prime(38, &mut stream).unwrap();
    let second = auxiliary_prime(38, &mut stream).unwrap();
    assert_eq!((Odd::as_ref(&first).bits(), Odd::as_ref(&second).bits()), (255, 255));
    // The same stream again.
    let candidates = Candidates::draw(38, &mut self::stream(b"candidates")).unwrap();
    let start = U1024::MAX.shr(1_u32).wrapping_add(&U1024::ONE.shl(1023_u32).shr(1_u32));
    let prime = candidates.first_prime(&start, 65537, 5, 20 * 1024).unwrap().unwrap();
    assert!(*Odd::as_ref(&prime) >= start);
    let one: Uint<4> = Odd::as_ref(&prime).rem(first.as_nz_ref());
    let minus_one: Uint<4> = Odd::as_ref(&prime).rem(second.as_nz_ref());
    assert_eq!(one, Uint::ONE);
    assert_eq!(minus_one.wrapping_add(&Uint::ONE), *Odd::as_ref(&second));
    assert!(is_prime(&prime, 5).unwrap());
}

#[test]
fn the_bound_is_the_root_of_two() {
    // Its square is just above 2^127, that of the number before just below.
    let root = u128::from(ROOT_OF_TWO);
    assert!(root * root > 1 << 127);
    assert!((root - 1) * (root - 1) < 1 << 127);
}

#[test]
fn factors_shared_with_the_exponent_are_seen() {
    // 7 - 1 = 6 shares 3 with 65541 = 3 · 21847, and nothing with 65537.
    assert!(!shares_no_factor(&U1024::from_u8(7), 65541));
    assert!(shares_no_factor(&U1024::from_u8(7), 65537));
    // A candidate that is 1 modulo the exponent.
    assert!(!shares_no_factor(&U1024::from_u32(65538), 65537));
}

/// The SHA-256 digest of a modulus, computed apart from this code, from the
/// contract above.
const PINNED: &str = "382f6a9d2fb91543f0f82e198252119c9d54274438f911dfa570928d659bfa5f";
