//! Known digests, and hashes that were put away and taken up again.

use alloc::{vec, vec::Vec};

use proptest::prelude::*;

use super::*;
use crate::test_vectors::bytes;

/// The digests of "abc" [FIPS 180-4 and FIPS 202, NIST's examples].
#[test]
fn known_digests() {
    for (algorithm, expected) in [
        (HashAlgorithm::Sha1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
        (HashAlgorithm::Sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            HashAlgorithm::Sha384,
            "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed\
             8086072ba1e7cc2358baeca134c825a7",
        ),
        (
            HashAlgorithm::Sha512,
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
             2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        ),
        // [GB/T 32905-2016 §A.1].
        (HashAlgorithm::Sm3, "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"),
        (
            HashAlgorithm::Sha3_256,
            "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532",
        ),
        (
            HashAlgorithm::Sha3_384,
            "ec01498288516fc926459f58e2c6ad8df9b473cb0fc08c2596da7cf0e49be4b2\
             98d88cea927ac7f539f1edf228376d25",
        ),
        (
            HashAlgorithm::Sha3_512,
            "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e\
             10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0",
        ),
    ] {
        assert_eq!(algorithm.digest(&[b"a", b"bc"]).as_bytes(), bytes(expected), "{algorithm:?}");
    }
}

/// The empty message, for which implementations like to have a special case.
#[test]
fn known_digests_of_nothing() {
    for (algorithm, expected) in [
        (HashAlgorithm::Sha1, "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
        (HashAlgorithm::Sha256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (
            HashAlgorithm::Sha3_256,
            "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a",
        ),
    ] {
        assert_eq!(algorithm.digest(&[]).as_bytes(), bytes(expected), "{algorithm:?}");
    }
}

/// Sizes follow from the crates, blocks from the standards' tables.
#[test]
fn blocks_have_the_size_that_the_crates_use() {
    use digest::common::BlockSizeUser;
    for (algorithm, size) in HashAlgorithm::ALL.into_iter().zip([
        sha1::Sha1::block_size(),
        sha2::Sha256::block_size(),
        sha2::Sha384::block_size(),
        sha2::Sha512::block_size(),
        sm3::Sm3::block_size(),
        sha3::Sha3_256::block_size(),
        sha3::Sha3_384::block_size(),
        sha3::Sha3_512::block_size(),
    ]) {
        assert_eq!(algorithm.block_size(), size, "{algorithm:?}");
        assert!(size <= LARGEST_BLOCK);
    }
}

/// The layout of exported states is part of what a device stores.
#[test]
fn the_exported_layout_is_pinned() {
    let mut hasher = Hasher::new(HashAlgorithm::Sha256);
    hasher.update(&[b'a'; 64]);
    hasher.update(b"bcd");
    let exported = hasher.export();
    let mut expected = Vec::new();
    // The chaining value after one block of 'a', words in little-endian order.
    let one_block = {
        let mut state = Hasher::new(HashAlgorithm::Sha256);
        state.update(&[b'a'; 64]);
        state.export()
    };
    expected.extend_from_slice(&one_block.as_bytes()[..40]);
    // The number of bytes that wait for the rest of their block, then those.
    expected.push(3);
    expected.extend_from_slice(b"bcd");
    expected.resize(40 + 64, 0);
    assert_eq!(exported.as_bytes(), expected);
    assert_eq!(one_block.as_bytes()[32..40], 1_u64.to_le_bytes());
}

#[test]
fn states_of_another_size_are_refused() {
    let state = Hasher::new(HashAlgorithm::Sha256).export();
    let refused = Hasher::import(HashAlgorithm::Sha512, state.as_bytes());
    assert!(matches!(refused, Err(ImportError::Size { found: 104, .. })), "{refused:?}");
    assert!(Hasher::import(HashAlgorithm::Sha256, &[]).is_err());
}

#[test]
fn a_buffer_longer_than_a_block_is_refused() {
    let mut state = Hasher::new(HashAlgorithm::Sha256).export();
    state.as_mut_bytes()[40] = 64;
    let refused = Hasher::import(HashAlgorithm::Sha256, state.as_bytes());
    assert_eq!(refused.err(), Some(ImportError::Content(HashAlgorithm::Sha256)));
}

/// The hash crates would multiply such a count beyond its type.
#[test]
fn a_count_of_blocks_beyond_all_data_is_refused() {
    for (algorithm, highest) in [
        (HashAlgorithm::Sha1, 27),
        (HashAlgorithm::Sha256, 39),
        (HashAlgorithm::Sha384, 79),
        (HashAlgorithm::Sha512, 79),
        (HashAlgorithm::Sm3, 39),
    ] {
        let mut state = Hasher::new(algorithm).export();
        state.as_mut_bytes()[highest] = 0x80;
        let refused = Hasher::import(algorithm, state.as_bytes());
        assert_eq!(refused.err(), Some(ImportError::Content(algorithm)));
    }
}

proptest! {
    #[test]
    fn a_hash_goes_on_after_export(
        which in 0..HashAlgorithm::ALL.len(),
        before in prop::collection::vec(any::<u8>(), 0..400),
        after in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        let algorithm = HashAlgorithm::ALL[which];
        let mut hasher = Hasher::new(algorithm);
        hasher.update(&before);
        let mut resumed = Hasher::import(algorithm, hasher.export().as_bytes()).unwrap();
        resumed.update(&after);
        prop_assert_eq!(resumed.finish(), algorithm.digest(&[&before, &after]));
    }

    #[test]
    fn no_state_panics(which in 0..HashAlgorithm::ALL.len(), noise in any::<u8>(), at in 0..400_usize) {
        let algorithm = HashAlgorithm::ALL[which];
        let mut state = vec![0; Hasher::new(algorithm).export().as_bytes().len()];
        let at = at % state.len();
        state[at] = noise;
        if let Ok(mut hasher) = Hasher::import(algorithm, &state) {
            hasher.update(&[0; 300]);
            let _ = hasher.finish();
        }
    }
}
