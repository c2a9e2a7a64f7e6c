//! DER, as much as certificates need [X.690 §8, §10].
//!
//! What comes from outside is read with the crate `der`. Writing is done here,
//! because that crate's needs either an allocator that it shares with others, or
//! a buffer for each level.

use alloc::vec::Vec;

/// Tags.
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const NULL: u8 = 0x05;
pub(crate) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(crate) const SEQUENCE: u8 = 0x30;

/// The tag `[number]` around something else.
pub(crate) const fn explicit(number: u8) -> u8 {
    0xA0 | number
}

/// An element with this tag around `parts`.
pub(crate) fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let bytes = length.to_be_bytes();
    let significant = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len() - 1);
    let (_, bytes) = bytes.split_at(significant);
    let mut out = alloc::vec![tag];
    if length >= 0x80 {
        out.push(0x80 | u8::try_from(bytes.len()).expect("a length has at most eight bytes"));
    }
    out.extend_from_slice(bytes);
    parts.iter().for_each(|part| out.extend_from_slice(part));
    out
}

/// A number that is not negative, from its bytes, the highest first.
pub(crate) fn integer(bytes: &[u8]) -> Vec<u8> {
    let significant = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
    let (_, bytes) = bytes.split_at(significant);
    // The highest bit is a sign, and zero is one byte.
    let sign: &[u8] = if bytes.first().is_none_or(|byte| *byte >= 0x80) { &[0] } else { &[] };
    element(INTEGER, &[sign, bytes])
}

/// An object identifier whose content is encoded already.
pub(crate) fn identifier(content: &[u8]) -> Vec<u8> {
    element(OBJECT_IDENTIFIER, &[content])
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use der::asn1::{AnyRef, UintRef};
    use der::{Decode, Tag, Tagged};
    use proptest::prelude::*;

    use super::{SEQUENCE, element, integer};

    #[test]
    fn zero_is_one_byte() {
        for zero in [&[][..], &[0], &[0, 0]] {
            assert_eq!(integer(zero), [2, 1, 0]);
        }
    }

    proptest! {
        #[test]
        fn another_reader_finds_what_was_written(
            length in prop_oneof![0..300_usize, 65_500..65_600_usize],
        ) {
            let content = vec![7; length];
            let (one, two) = content.split_at(length / 3);
            let encoded = element(SEQUENCE, &[one, two]);
            let read = AnyRef::from_der(&encoded).expect("it is DER");
            prop_assert_eq!(read.tag(), Tag::Sequence);
            prop_assert_eq!(read.value(), content);
        }

        #[test]
        fn numbers_are_as_short_as_can_be(bytes in proptest::collection::vec(any::<u8>(), 1..40)) {
            let encoded = integer(&bytes);
            let read = UintRef::from_der(&encoded).expect("it is DER");
            prop_assert_eq!(read, UintRef::new(&bytes).expect("it is a number"));
        }
    }
}
