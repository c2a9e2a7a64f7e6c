//! Handing out a large range to all processors.

use core::ops::Range;

use super::atomic::{AtomicU64, Ordering};
use super::chunk_part::ChunkPart;
use super::chunk_size::PAGES_PER_CHUNK;

/// A range of pages in pieces of one chunk each, every piece given out once,
/// to whichever processor asks next.
#[derive(Debug)]
pub struct Work {
    pages: Range<u64>,
    /// Number of the next chunk.
    next: AtomicU64,
}

impl Work {
    /// All pages with these numbers.
    #[must_use]
    pub fn new(pages: Range<u64>) -> Self {
        let next = AtomicU64::new(pages.start / PAGES_PER_CHUNK);
        Self { pages, next }
    }

    /// The next piece, `None` if all are given out: a whole chunk, or as much
    /// of it as belongs to the range.
    #[must_use]
    pub fn next(&self) -> Option<ChunkPart> {
        let end = self.pages.end.div_ceil(PAGES_PER_CHUNK);
        let take = |next: u64| (next < end).then_some(next.wrapping_add(1));
        let chunk = self.next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).ok()?;
        // A chunk with a number below the end begins below the end.
        let begin = chunk * PAGES_PER_CHUNK;
        let first = begin.max(self.pages.start);
        let count = self.pages.end.min(begin.saturating_add(PAGES_PER_CHUNK)).checked_sub(first)?;
        ChunkPart::new(first, count)
    }
}
