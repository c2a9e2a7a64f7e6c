//! The word of a chunk.
//!
//! | bits | |
//! |---|---|
//! | 3:0 | all pages alike: what each of them is, as in a detail block |
//! | 4 | pages differ: a detail block says what each of them is |
//! | 5 | locked |
//! | 63:32 | number of the detail block, if there is one |

use super::atomic::AtomicU64;
use super::detail::{BlockNumber, Entry};

const MIXED: u64 = 1 << 4;
/// Bit 5.
pub(crate) const LOCKED: u64 = 1 << 5;
const BLOCK_SHIFT: u32 = 32;

/// Memory for the word of one chunk.
#[derive(Debug)]
pub struct ChunkWord(pub(crate) AtomicU64);

impl ChunkWord {
    /// Of a chunk whose pages are not of this VM.
    #[must_use]
    pub fn new() -> Self {
        Self(AtomicU64::new(0))
    }
}

impl Default for ChunkWord {
    fn default() -> Self {
        Self::new()
    }
}

/// What an unlocked word says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// All pages are the same.
    Uniform(Entry),
    /// The block says.
    Mixed(BlockNumber),
}

impl Content {
    pub(crate) const fn decode(word: u64) -> Self {
        match word & MIXED {
            0 => Self::Uniform(Entry::of_bits(word)),
            _ => Self::Mixed(BlockNumber((word >> BLOCK_SHIFT) as u32)),
        }
    }

    pub(crate) const fn encode(self) -> u64 {
        match self {
            Self::Uniform(entry) => entry.bits(),
            Self::Mixed(BlockNumber(number)) => (number as u64) << BLOCK_SHIFT | MIXED,
        }
    }
}
