//! Pages that one processor is changing.

use super::chunk_part::ChunkPart;
use super::counts::Counts;
use super::detail::{DetailBlocks, Entry};
use super::locked_chunk::LockedChunk;
use super::state::PageState;
use super::word::ChunkWord;

/// Pages that nobody else can claim until this is committed or dropped. If it
/// is dropped, they are what they were.
///
/// Who holds it makes the change: asks the host, validates, maps. It must not
/// be dropped when part of that has happened and was not undone.
#[derive(Debug)]
#[must_use = "a claim that is dropped changes nothing"]
pub struct Claim<'t, B: DetailBlocks> {
    pub(crate) word: &'t ChunkWord,
    pub(crate) blocks: &'t B,
    pub(crate) counts: &'t Counts,
    pub(crate) part: ChunkPart,
    pub(crate) expected: PageState,
    pub(crate) next: PageState,
}

impl<B: DetailBlocks> Claim<'_, B> {
    /// The pages.
    #[must_use]
    pub const fn part(&self) -> ChunkPart {
        self.part
    }

    /// What they are.
    #[must_use]
    pub const fn expected(&self) -> PageState {
        self.expected
    }

    /// What they become.
    #[must_use]
    pub const fn next(&self) -> PageState {
        self.next
    }

    /// The change has happened: the pages are now what they were to become.
    #[inline(always)]
    pub fn commit(self) {
        self.counts.change(self.expected, self.next, self.part.count());
        self.end(self.next);
        // There is nothing left to give back.
        core::mem::forget(self);
    }

    /// Nobody has the pages claimed any more, and they are this.
    #[inline(always)]
    fn end(&self, state: PageState) {
        let mut chunk = LockedChunk::lock(self.word, self.blocks);
        let set = chunk.set(self.part, Entry::new(state));
        // Entries of claimed pages differ from those of all others, so that a
        // part of a chunk has a block since it was claimed.
        assert!(set.is_ok(), "claimed pages have a block");
    }
}

impl<B: DetailBlocks> Drop for Claim<'_, B> {
    fn drop(&mut self) {
        self.end(self.expected);
    }
}
