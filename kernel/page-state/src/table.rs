//! The table of all pages.

use core::ops::Range;

use super::chunk_part::{CHUNK_SIZE, ChunkPart};
use super::chunk_size::PAGES_PER_CHUNK;
use super::claim::Claim;
use super::counts::Counts;
use super::detail::{DetailBlocks, Entry};
use super::locked_chunk::LockedChunk;
use super::refusal::Refusal;
use super::state::PageState;
use super::word::ChunkWord;

/// The state of every page of the VM. All processors share it.
#[derive(Debug)]
pub struct PageStates<'a, B> {
    chunks: &'a [ChunkWord],
    blocks: B,
    counts: Counts,
}

impl<'a, B: DetailBlocks> PageStates<'a, B> {
    /// How many words a table takes for memory that ends at the address `end`.
    #[must_use]
    pub const fn words_for(end: u64) -> u64 {
        end.div_ceil(CHUNK_SIZE)
    }

    /// A table of as many chunks as there are words, which must be new: no page
    /// is the VM's. What lies above is not, either.
    #[must_use]
    pub fn new(chunks: &'a [ChunkWord], blocks: B) -> Self {
        let counts = Counts::absent((chunks.len() as u64).saturating_mul(PAGES_PER_CHUNK));
        Self { chunks, blocks, counts }
    }

    /// The number behind that of the last page that the table has a word for.
    #[must_use]
    pub const fn end(&self) -> u64 {
        (self.chunks.len() as u64).saturating_mul(PAGES_PER_CHUNK)
    }

    /// Says what pages are, whatever the table said before. For the start:
    /// nobody else has the table yet.
    ///
    /// # Errors
    ///
    /// [`Refusal::State`] if pages lie above the table, [`Refusal::OutOfBlocks`]
    /// if it takes a block and there is none; the pages of the chunks before
    /// that one are then set.
    pub fn declare(&mut self, pages: Range<u64>, state: PageState) -> Result<(), Refusal> {
        let mut first = pages.start;
        while first < pages.end {
            let room = PAGES_PER_CHUNK - first % PAGES_PER_CHUNK;
            let count = room.min(pages.end - first);
            // Not empty, and no more than there is room for in the chunk.
            let part = ChunkPart::new(first, count).expect("cut to the chunk");
            self.declare_part(part, state)?;
            first += count;
        }
        Ok(())
    }

    fn declare_part(&self, part: ChunkPart, state: PageState) -> Result<(), Refusal> {
        let word = self.word(part).ok_or(foreign(part, state))?;
        let mut chunk = LockedChunk::lock(word, &self.blocks);
        let first = part.first_in_chunk();
        let mut counts = [0; PageState::ALL.len()];
        match chunk.uniform() {
            Some(entry) => counts[entry.state().code() as usize] = part.count(),
            None => (first..first + part.count())
                .for_each(|page| counts[chunk.get(page).state().code() as usize] += 1),
        }
        chunk.set(part, Entry::new(state))?;
        for (from, count) in PageState::ALL.into_iter().zip(counts) {
            self.counts.change(from, state, count);
        }
        Ok(())
    }

    /// Claims pages that are all `expected`, to make them `next`.
    ///
    /// # Errors
    ///
    /// See [`Refusal`].
    // Where the states are known, what follows from them is known as well.
    #[inline(always)]
    pub fn claim(
        &self,
        part: ChunkPart,
        expected: PageState,
        next: PageState,
    ) -> Result<Claim<'_, B>, Refusal> {
        if !expected.can_become(next) {
            return Err(Refusal::Transition { from: expected, to: next });
        }
        let word = self.word(part).ok_or(foreign(part, expected))?;
        let mut chunk = LockedChunk::lock(word, &self.blocks);
        if let Some((page, found)) = chunk.first_other(part, Entry::new(expected)) {
            return Err(other(part, page, found, expected));
        }
        chunk.set(part, Entry::claimed(expected))?;
        drop(chunk);
        Ok(Claim { word, blocks: &self.blocks, counts: &self.counts, part, expected, next })
    }

    /// What a page is, by its number. It may have changed when this returns;
    /// while it is claimed, it is what it was before.
    #[must_use]
    pub fn state(&self, page: u64) -> PageState {
        let part = ChunkPart::page(page);
        self.word(part).map_or(PageState::Absent, |word| {
            LockedChunk::lock(word, &self.blocks).get(part.first_in_chunk()).state()
        })
    }

    /// The first run of pages of `part` that are in this state, and not
    /// claimed. To go on, ask for the rest of the part behind the run.
    #[must_use]
    pub fn first_run(&self, part: ChunkPart, state: PageState) -> Option<ChunkPart> {
        let mut rest = part;
        loop {
            let (found, run) = self.entries_from(rest)?;
            if found == Entry::new(state) {
                return Some(run);
            }
            rest = rest.behind(run)?;
        }
    }

    /// What the page with this number is, and how far the pages behind it are
    /// the same, to the end of the chunk at most; `None` above the table.
    #[must_use]
    pub fn run_from(&self, page: u64) -> Option<(PageState, ChunkPart)> {
        let part = ChunkPart::new(page, PAGES_PER_CHUNK - page % PAGES_PER_CHUNK)?;
        let (entry, run) = self.entries_from(part)?;
        Some((entry.state(), run))
    }

    /// The entry of the first page of `part`, and the pages of the part from it
    /// on that have the same.
    fn entries_from(&self, part: ChunkPart) -> Option<(Entry, ChunkPart)> {
        let chunk = LockedChunk::lock(self.word(part)?, &self.blocks);
        let first = part.first_in_chunk();
        let entry = chunk.get(first);
        let count = chunk.first_other(part, entry).map_or(part.count(), |(other, _)| other - first);
        Some((entry, ChunkPart::new(part.first(), count)?))
    }

    /// How many pages are in this state, as far as the table goes.
    #[must_use]
    pub fn count(&self, state: PageState) -> u64 {
        self.counts.of(state)
    }

    /// Where detail blocks come from.
    #[must_use]
    pub const fn blocks(&self) -> &B {
        &self.blocks
    }

    fn word(&self, part: ChunkPart) -> Option<&'a ChunkWord> {
        self.chunks.get(usize::try_from(part.chunk_number()).ok()?)
    }
}

/// Why a claim fails at a page of the chunk, by its number in the chunk.
#[cold]
fn other(part: ChunkPart, page: u64, found: Entry, expected: PageState) -> Refusal {
    let page = part.first() - part.first_in_chunk() + page;
    match found.is_claimed() {
        true => Refusal::Claimed { page },
        false => Refusal::State { page, found: found.state(), expected },
    }
}

/// Pages above the table are none of the VM's.
const fn foreign(part: ChunkPart, expected: PageState) -> Refusal {
    Refusal::State { page: part.first(), found: PageState::Absent, expected }
}
