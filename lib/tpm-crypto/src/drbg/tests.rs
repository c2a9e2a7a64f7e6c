//! The generator against the one that RFC 6979 spells out, and its bookkeeping.

use super::*;
use crate::test_vectors::bytes;

/// HMAC_DRBG is also the nonce generator of RFC 6979: its section A.2.5 gives
/// the nonce of P-256 with SHA-256 for the message "sample".
#[test]
fn the_generator_of_rfc_6979() {
    let key = bytes("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721");
    // The digest is below the curve's order, so that it needs no reduction.
    let digest = HashAlgorithm::Sha256.digest(&[b"sample"]);
    let mut drbg = HmacDrbg::new(HashAlgorithm::Sha256, &[&key, digest.as_bytes()]);
    let mut nonce = [0; 32];
    drbg.fill(&mut nonce).unwrap();
    let expected = bytes("A6E3C57DD01ABE90086538398355DD4C3B17AA873382B0F24D6129493D8AAD60");
    assert_eq!(nonce[..], expected);
}

#[test]
fn seeds_decide() {
    let draw = |seed: &[&[u8]]| {
        let mut output = [0; 100];
        HmacDrbg::new(HashAlgorithm::Sha384, seed).fill(&mut output).unwrap();
        output
    };
    assert_eq!(draw(&[b"se", b"ed"]), draw(&[b"seed"]));
    assert_ne!(draw(&[b"seed"]), draw(&[b"Seed"]));
}

#[test]
fn reseeding_changes_what_follows() {
    let mut left = HmacDrbg::new(HashAlgorithm::Sha256, &[b"seed"]);
    let mut right = left.clone();
    right.reseed(&[b"entropy"]);
    let (mut of_left, mut of_right) = ([0; 32], [0; 32]);
    left.fill(&mut of_left).unwrap();
    right.fill(&mut of_right).unwrap();
    assert_ne!(of_left, of_right);
}

#[test]
fn a_seed_does_not_last_for_ever() {
    let mut drbg = HmacDrbg::new(HashAlgorithm::Sha256, &[b"seed"]);
    drbg.requests = RESEED_INTERVAL + 1;
    assert_eq!(drbg.fill(&mut [0; 1]), Err(RandomError::ReseedRequired));
    drbg.reseed(&[b"entropy"]);
    assert_eq!(drbg.fill(&mut [0; 1]), Ok(()));
}

#[test]
fn long_requests_are_several() {
    let mut whole = alloc::vec![0; LARGEST_REQUEST + 5];
    HmacDrbg::new(HashAlgorithm::Sha256, &[b"seed"]).fill(&mut whole).unwrap();
    let mut parts = alloc::vec![0; LARGEST_REQUEST + 5];
    let mut drbg = HmacDrbg::new(HashAlgorithm::Sha256, &[b"seed"]);
    let (first, second) = parts.split_at_mut(LARGEST_REQUEST);
    drbg.fill(first).unwrap();
    drbg.fill(second).unwrap();
    assert_eq!(whole, parts);
}
