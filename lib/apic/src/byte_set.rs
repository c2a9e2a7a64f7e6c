//! Sets of bytes: interrupt vectors, or positions of processors.

use core::fmt;

/// A set of numbers from 0 to 255.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct ByteSet {
    words: [u64; 4],
}

impl ByteSet {
    /// The set without numbers.
    pub const EMPTY: Self = Self { words: [0; 4] };

    /// Whether no number is in the set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words == [0; 4]
    }

    /// Whether `number` is in the set.
    #[must_use]
    pub const fn contains(&self, number: u8) -> bool {
        self.words[Self::word(number)] & Self::bit(number) != 0
    }

    /// Adds `number`. Whether it was not in the set before.
    pub fn insert(&mut self, number: u8) -> bool {
        let is_new = !self.contains(number);
        self.words[Self::word(number)] |= Self::bit(number);
        is_new
    }

    /// Takes `number` out. Whether it was in the set before.
    pub fn remove(&mut self, number: u8) -> bool {
        let was_there = self.contains(number);
        self.words[Self::word(number)] &= !Self::bit(number);
        was_there
    }

    /// Adds all numbers of `other`.
    pub fn extend(&mut self, other: &Self) {
        for (word, more) in self.words.iter_mut().zip(other.words) {
            *word |= more;
        }
    }

    /// The greatest number in the set.
    #[must_use]
    pub fn highest(&self) -> Option<u8> {
        let [first, second, third, fourth] = self.words;
        let (base, word) = match (first, second, third, fourth) {
            (0, 0, 0, 0) => return None,
            (word, 0, 0, 0) => (0, word),
            (_, word, 0, 0) => (64, word),
            (_, _, word, 0) => (128, word),
            (_, _, _, word) => (192, word),
        };
        // `word` is not zero, so that the logarithm is below 64.
        Some(base + word.ilog2() as u8)
    }

    /// The numbers in the set, in descending order.
    pub fn iter(&self) -> impl Iterator<Item = u8> + use<> {
        let mut rest = *self;
        core::iter::from_fn(move || {
            let number = rest.highest()?;
            rest.remove(number);
            Some(number)
        })
    }

    /// 32 numbers of the set as bits: those from 32 times `index` on, `index`
    /// modulo 8. So the local APIC's registers show it.
    pub(crate) const fn register(&self, index: u8) -> u32 {
        let first = index % 8 * 32;
        (self.words[Self::word(first)] >> (first % 64)) as u32
    }

    const fn word(number: u8) -> usize {
        number as usize / 64
    }

    const fn bit(number: u8) -> u64 {
        1 << (number % 64)
    }
}

impl fmt::Debug for ByteSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::collections::BTreeSet;
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn behaves_like_a_set(steps in prop::collection::vec(any::<(bool, u8)>(), 0..200)) {
            let mut set = ByteSet::EMPTY;
            let mut expected = BTreeSet::new();
            for (is_insertion, number) in steps {
                if is_insertion {
                    prop_assert_eq!(set.insert(number), expected.insert(number));
                } else {
                    prop_assert_eq!(set.remove(number), expected.remove(&number));
                }
                prop_assert_eq!(set.highest(), expected.last().copied());
                prop_assert_eq!(set.is_empty(), expected.is_empty());
            }
            prop_assert!(set.iter().eq(expected.iter().rev().copied()));
            for number in 0..=u8::MAX {
                let bit = set.register(number / 32) >> (number % 32) & 1;
                prop_assert_eq!(bit == 1, expected.contains(&number));
            }
        }
    }

    #[test]
    fn union() {
        let mut set = ByteSet::EMPTY;
        set.insert(3);
        let mut other = ByteSet::EMPTY;
        other.insert(200);
        set.extend(&other);
        assert_eq!(set.iter().collect::<Vec<_>>(), [200, 3]);
        assert_eq!(std::format!("{set:?}"), "{200, 3}");
    }
}
