//! The first word of a record.
//!
//! | bits | field |
//! |---|---|
//! | 0–23 | number of the record |
//! | 24–31 | tag |
//! | 32–47 | bytes of content |

use crate::reserved::Number;

/// Bytes in a word of the ring.
pub(crate) const WORD_SIZE: usize = size_of::<u64>();

/// Words of a record in front of its content: the header and the time.
pub(crate) const WORDS_IN_FRONT: u64 = 2;

/// What a header word says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) number: Number,
    pub(crate) tag: u8,
    pub(crate) content_size: u16,
}

impl Header {
    /// Words that the record takes, with the header and the time.
    pub(crate) fn words(self) -> u64 {
        WORDS_IN_FRONT + u64::from(self.content_size).div_ceil(WORD_SIZE as u64)
    }

    /// The header as the ring stores it.
    pub(crate) fn encode(self) -> u64 {
        u64::from(self.number.0) | u64::from(self.tag) << 24 | u64::from(self.content_size) << 32
    }

    /// The header in a word. Every word has a meaning: a reader may meet one
    /// that is just being overwritten, and finds out afterwards.
    pub(crate) fn decode(word: u64) -> Self {
        Self {
            number: Number::from_low_bits(word),
            tag: (word >> 24) as u8,
            content_size: (word >> 32) as u16,
        }
    }
}
