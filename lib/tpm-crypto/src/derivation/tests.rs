//! Known derivations, and how derivations of different lengths relate.

use proptest::prelude::*;

use super::*;
use crate::test_vectors::bytes;

/// RFC 8017 has no vectors for MGF1 alone; these are the widely published ones
/// of its description on Wikipedia ("Mask generation function").
#[test]
fn known_masks() {
    for (algorithm, seed, mask) in [
        (HashAlgorithm::Sha1, "foo", "1ac907"),
        (HashAlgorithm::Sha1, "foo", "1ac9075cd4"),
        (HashAlgorithm::Sha1, "bar", "bc0c655e01"),
        (
            HashAlgorithm::Sha1,
            "bar",
            "bc0c655e016bc2931d85a2e675181adcef7f581f76df2739da74faac41627be2\
             f7f415c89e983fd0ce80ced9878641cb4876",
        ),
        (
            HashAlgorithm::Sha256,
            "bar",
            "382576a7841021cc28fc4c0948753fb8312090cea942ea4c4e735d10dc724b15\
             5f9f6069f289d61daca0cb814502ef04eae1",
        ),
    ] {
        let expected = bytes(mask);
        let mut data = alloc::vec![0; expected.len()];
        mask_with_mgf1(algorithm, seed.as_bytes(), &mut data);
        assert_eq!(data, expected);
    }
}

/// One block of KDFa and KDFe written out from their definitions.
#[test]
fn one_block_is_what_the_definitions_say() {
    let algorithm = HashAlgorithm::Sha256;
    let mac = Hmac::mac(algorithm, b"key", &[&[0, 0, 0, 1], b"LABEL\0", b"u", b"v", &[0, 0, 1, 0]]);
    assert_eq!(kdfa(algorithm, b"key", b"LABEL", b"u", b"v", 256).as_bytes(), mac.as_bytes());
    let digest = algorithm.digest(&[&[0, 0, 0, 1], b"z", b"USE\0", b"u", b"v"]);
    assert_eq!(kdfe(algorithm, b"z", b"USE", b"u", b"v", 256).as_bytes(), digest.as_bytes());
}

#[test]
fn bits_that_do_not_fill_a_byte_are_cleared_in_front() {
    let derived = kdfe(HashAlgorithm::Sha512, b"z", b"USE", b"", b"", 521);
    assert_eq!(derived.as_bytes().len(), 66);
    assert!(derived.as_bytes()[0] <= 1);
    let whole = kdfe(HashAlgorithm::Sha512, b"z", b"USE", b"", b"", 528);
    assert_eq!(derived.as_bytes()[1..], whole.as_bytes()[1..]);
}

#[test]
fn no_bits_are_no_bytes() {
    assert!(kdfa(HashAlgorithm::Sha1, b"", b"", b"", b"", 0).as_bytes().is_empty());
}

proptest! {
    /// KDFa's blocks depend on the length asked for, KDFe's do not.
    #[test]
    fn lengths(which in 0..HashAlgorithm::ALL.len(), short in 1..200_u32, more in 1..200_u32) {
        let algorithm = HashAlgorithm::ALL[which];
        let (short, long) = (short * 8, (short + more) * 8);
        let bytes = short as usize / 8;
        let (left, right) = (
            kdfe(algorithm, b"z", b"USE", b"u", b"v", short),
            kdfe(algorithm, b"z", b"USE", b"u", b"v", long),
        );
        prop_assert_eq!(left.as_bytes(), &right.as_bytes()[..bytes]);
        let (left, right) = (
            kdfa(algorithm, b"k", b"USE", b"u", b"v", short.max(128)),
            kdfa(algorithm, b"k", b"USE", b"u", b"v", long.max(136)),
        );
        prop_assert_ne!(left.as_bytes(), &right.as_bytes()[..left.as_bytes().len()]);
    }

    /// The label's zero byte keeps it apart from the context.
    #[test]
    fn label_and_context_do_not_run_into_each_other(split in 0..6_usize) {
        let (label, context) = b"ABCDEF".split_at(split);
        let algorithm = HashAlgorithm::Sha256;
        let other = kdfa(algorithm, b"k", b"ABCDEF", b"", b"", 256);
        let this = kdfa(algorithm, b"k", label, context, b"", 256);
        prop_assert_ne!(this, other);
    }

    #[test]
    fn xor_twice_gives_the_data_back(data in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut masked = data.clone();
        for _ in 0..2 {
            xor_obfuscation(HashAlgorithm::Sha1, b"k", b"u", b"v", &mut masked).unwrap();
        }
        prop_assert_eq!(masked, data);
    }
}
