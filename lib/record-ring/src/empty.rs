//! How a ring begins: empty, in a static if need be.

use crate::atomic::{AtomicU32, AtomicU64};
use crate::ring::Ring;

impl<const WORDS: usize> Ring<WORDS> {
    /// A ring without records.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            words: [const { AtomicU64::new(0) }; WORDS],
            oldest: AtomicU64::new(0),
            reserved: AtomicU64::new(0),
            published: AtomicU64::new(0),
            writing: AtomicU32::new(0),
            unfinished: AtomicU64::new(0),
        }
    }
}

impl<const WORDS: usize> Default for Ring<WORDS> {
    fn default() -> Self {
        Self::new()
    }
}
