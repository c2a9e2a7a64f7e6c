//! Pages of one chunk.

use super::chunk_size::PAGES_PER_CHUNK;

/// Bytes of a page, the smallest unit that has a state.
pub const PAGE_SIZE: u64 = 4096;

/// Bytes of a chunk.
pub const CHUNK_SIZE: u64 = PAGE_SIZE * PAGES_PER_CHUNK;

/// Consecutive pages of one chunk, at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkPart {
    first: u64,
    count: u64,
}

impl ChunkPart {
    /// `count` pages from the page with the number `first` on; `None` if that
    /// are none, or not all of one chunk.
    #[must_use]
    pub const fn new(first: u64, count: u64) -> Option<Self> {
        let room = PAGES_PER_CHUNK - first % PAGES_PER_CHUNK;
        if count == 0 || count > room { None } else { Some(Self { first, count }) }
    }

    /// One page.
    #[must_use]
    pub const fn page(number: u64) -> Self {
        Self { first: number, count: 1 }
    }

    /// All pages of a chunk; `None` for chunks above all addresses.
    #[must_use]
    pub const fn chunk(number: u64) -> Option<Self> {
        match number.checked_mul(PAGES_PER_CHUNK) {
            Some(first) => Some(Self { first, count: PAGES_PER_CHUNK }),
            None => None,
        }
    }

    /// Number of the first page: its address divided by [`PAGE_SIZE`].
    #[must_use]
    pub const fn first(&self) -> u64 {
        self.first
    }

    /// How many pages, 1 to [`PAGES_PER_CHUNK`].
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Whether these are all pages of the chunk, so that they can change as one
    /// large page.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.count == PAGES_PER_CHUNK
    }

    /// What of these pages lies behind `run`, which is their beginning; `None`
    /// if that is nothing.
    pub(crate) const fn behind(&self, run: Self) -> Option<Self> {
        Self::new(self.first + run.count, self.count - run.count)
    }

    /// Number of the chunk.
    pub(crate) const fn chunk_number(&self) -> u64 {
        self.first / PAGES_PER_CHUNK
    }

    /// Number of the first page within the chunk.
    pub(crate) const fn first_in_chunk(&self) -> u64 {
        self.first % PAGES_PER_CHUNK
    }
}
