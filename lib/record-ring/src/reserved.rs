//! Where the next record goes, and its number, in one word.

/// Number of a record, modulo 2²⁴. Numbers count every record, also those for
/// which there was no room, so a gap tells how many were lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Number(pub(crate) u32);

/// Bits of a [`Number`].
const NUMBER_BITS: u32 = 24;
const NUMBER_MASK: u32 = (1 << NUMBER_BITS) - 1;

impl Number {
    /// The number in the low bits of `word`.
    pub(crate) fn from_low_bits(word: u64) -> Self {
        Self(word as u32 & NUMBER_MASK)
    }

    /// The number after this one.
    pub(crate) fn next(self) -> Self {
        Self(self.0.wrapping_add(1) & NUMBER_MASK)
    }

    /// Records from `earlier` on up to this one, without this one.
    pub(crate) fn since(self, earlier: Self) -> u32 {
        self.0.wrapping_sub(earlier.0) & NUMBER_MASK
    }
}

/// What is handed out so far: the position behind the last record, in words
/// from the first one that was ever written, and the next record's number.
///
/// The position has 40 bits: a ring takes 8 TiB in its life. After that it
/// would start over and be empty for readers, which no log lives to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reserved {
    pub(crate) end: u64,
    pub(crate) next: Number,
}

impl Reserved {
    /// As one word: the number in the low 24 bits, the position above.
    pub(crate) fn encode(self) -> u64 {
        self.end << NUMBER_BITS | u64::from(self.next.0)
    }

    pub(crate) fn decode(word: u64) -> Self {
        Self { end: word >> NUMBER_BITS, next: Number::from_low_bits(word) }
    }
}
