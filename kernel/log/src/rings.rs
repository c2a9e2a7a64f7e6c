//! The rings that keep the messages, one for each processor.

use record_ring::{Cursor, Record, Ring, TooLong};

use crate::line::LINE_SIZE;

/// Words of the first processor's ring, which keeps the start: 8 KiB, some
/// hundred messages.
const FIRST_WORDS: usize = 1024;
/// Words of another processor's: 2 KiB, some twenty messages.
const OTHER_WORDS: usize = 256;

/// The messages of the first processor.
pub(crate) type FirstRing = Ring<FIRST_WORDS>;

/// The messages of another processor.
pub type MessageRing = Ring<OTHER_WORDS>;

const _: () = assert!(LINE_SIZE <= MessageRing::MAX_CONTENT, "a line fits into a record");

/// The messages of one processor.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ProcessorRing<'a> {
    First(&'a FirstRing),
    Other(&'a MessageRing),
}

impl ProcessorRing<'_> {
    /// As [`Ring::write`].
    pub(crate) fn write(self, time_ns: u64, tag: u8, content: &[u8]) -> Result<(), TooLong> {
        match self {
            Self::First(ring) => ring.write(time_ns, tag, content),
            Self::Other(ring) => ring.write(time_ns, tag, content),
        }
    }

    /// As [`Ring::read`].
    pub(crate) fn read<'a>(self, cursor: &mut Cursor, buffer: &'a mut [u8]) -> Option<Record<'a>> {
        match self {
            Self::First(ring) => ring.read(cursor, buffer),
            Self::Other(ring) => ring.read(cursor, buffer),
        }
    }
}

/// The rings of all processors that have one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rings<'a> {
    /// Of the processor with index 0.
    pub(crate) first: &'a FirstRing,
    /// Of the others, in the order of their indices.
    pub(crate) others: &'a [MessageRing],
}

impl<'a> Rings<'a> {
    /// The ring of the processor with an index.
    pub(crate) fn of(self, processor: usize) -> Option<ProcessorRing<'a>> {
        match processor.checked_sub(1) {
            None => Some(ProcessorRing::First(self.first)),
            Some(index) => self.others.get(index).map(ProcessorRing::Other),
        }
    }
}
