//! The rings that keep the messages, one for each processor.

use record_ring::Ring;

use crate::line::LINE_SIZE;

/// Words of a processor's ring: 8 KiB, some hundred messages.
const RING_WORDS: usize = 1024;

/// The messages of one processor.
pub type MessageRing = Ring<RING_WORDS>;

const _: () = assert!(LINE_SIZE <= MessageRing::MAX_CONTENT, "a line fits into a record");

/// The rings of all processors that have one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rings<'a> {
    /// Of the processor with index 0.
    pub(crate) first: &'a MessageRing,
    /// Of the others, in the order of their indices.
    pub(crate) others: &'a [MessageRing],
}

impl<'a> Rings<'a> {
    /// The ring of the processor with an index.
    pub(crate) fn of(self, processor: usize) -> Option<&'a MessageRing> {
        match processor.checked_sub(1) {
            None => Some(self.first),
            Some(index) => self.others.get(index),
        }
    }
}
