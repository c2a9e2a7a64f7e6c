//! A chunk that no other processor looks at.

use super::atomic::{Ordering, spin_loop};
use super::chunk_part::ChunkPart;
use super::detail::{BlockNumber, DetailBlock, DetailBlocks, Entry};
use super::refusal::Refusal;
use super::word::{ChunkWord, Content, LOCKED};

/// The lock on a chunk's word; dropping it unlocks.
pub(crate) struct LockedChunk<'t, B: DetailBlocks> {
    word: &'t ChunkWord,
    pages: Pages<'t>,
    blocks: &'t B,
}

/// What the chunk's pages are, with the block that says so.
#[derive(Clone, Copy)]
enum Pages<'t> {
    /// All are the same.
    Uniform(Entry),
    /// The block says.
    Mixed(BlockNumber, &'t DetailBlock),
}

impl<'t, B: DetailBlocks> LockedChunk<'t, B> {
    /// Waits until nobody has the chunk locked.
    #[inline(always)]
    pub(crate) fn lock(word: &'t ChunkWord, blocks: &'t B) -> Self {
        loop {
            let found = word.0.load(Ordering::Relaxed);
            if found & LOCKED == 0
                && word
                    .0
                    .compare_exchange(found, found | LOCKED, Ordering::Acquire, Ordering::Relaxed)
                    .is_ok()
            {
                let pages = match Content::decode(found) {
                    Content::Uniform(entry) => Pages::Uniform(entry),
                    Content::Mixed(number) => Pages::Mixed(number, blocks.block(number)),
                };
                return Self { word, pages, blocks };
            }
            spin_loop();
        }
    }

    /// The entry of a page, by its number in the chunk.
    pub(crate) fn get(&self, page: u64) -> Entry {
        match self.pages {
            Pages::Uniform(entry) => entry,
            Pages::Mixed(_, block) => block.get(page),
        }
    }

    /// The entry of all pages, if they have the same.
    pub(crate) const fn uniform(&self) -> Option<Entry> {
        match self.pages {
            Pages::Uniform(entry) => Some(entry),
            Pages::Mixed(..) => None,
        }
    }

    /// The first page of `part`, by its number in the chunk, that has another
    /// entry than this one.
    #[inline(always)]
    pub(crate) fn first_other(&self, part: ChunkPart, entry: Entry) -> Option<(u64, Entry)> {
        match self.pages {
            Pages::Uniform(found) => (found != entry).then_some((part.first_in_chunk(), found)),
            Pages::Mixed(_, block) => block.first_other(part, entry),
        }
    }

    /// Sets the entries of `part`.
    ///
    /// # Errors
    ///
    /// It takes a block, and there is none. Not if the entries of the part were
    /// set before, to something that others of the chunk are not.
    #[inline(always)]
    pub(crate) fn set(&mut self, part: ChunkPart, entry: Entry) -> Result<(), Refusal> {
        if part.is_whole() {
            self.unite(entry);
            return Ok(());
        }
        match self.pages {
            Pages::Uniform(found) if found == entry => {}
            Pages::Uniform(found) => self.divide(found, part, entry)?,
            Pages::Mixed(_, block) => {
                block.set(part, entry);
                // Pages that are claimed keep their block: they become something
                // else.
                if !entry.is_claimed() && block.is_uniform(entry, part) {
                    self.unite(entry);
                }
            }
        }
        Ok(())
    }

    /// Sets the entries of `part` in a block, since all others have another.
    #[cold]
    fn divide(&mut self, others: Entry, part: ChunkPart, entry: Entry) -> Result<(), Refusal> {
        let number = self.blocks.take().ok_or(Refusal::OutOfBlocks)?;
        let block = self.blocks.block(number);
        block.fill(others);
        block.set(part, entry);
        self.pages = Pages::Mixed(number, block);
        Ok(())
    }

    /// Sets the entries of all pages, and gives the block back if there was one.
    fn unite(&mut self, entry: Entry) {
        if let Pages::Mixed(number, _) = self.pages {
            self.blocks.give_back(number);
        }
        self.pages = Pages::Uniform(entry);
    }
}

impl<B: DetailBlocks> Drop for LockedChunk<'_, B> {
    fn drop(&mut self) {
        // Release: who locks next sees what was written to the block.
        let content = match self.pages {
            Pages::Uniform(entry) => Content::Uniform(entry),
            Pages::Mixed(number, _) => Content::Mixed(number),
        };
        self.word.0.store(content.encode(), Ordering::Release);
    }
}
