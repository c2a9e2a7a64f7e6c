//! A chunk that no other processor looks at.

use super::atomic::{Ordering, spin_loop};
use super::chunk_part::ChunkPart;
use super::detail::{BlockNumber, DetailBlocks, Entry};
use super::refusal::Refusal;
use super::word::{ChunkWord, Content, LOCKED};

/// The lock on a chunk's word; dropping it unlocks.
pub(crate) struct LockedChunk<'t, B: DetailBlocks> {
    word: &'t ChunkWord,
    content: Content,
    blocks: &'t B,
}

impl<'t, B: DetailBlocks> LockedChunk<'t, B> {
    /// Waits until nobody has the chunk locked.
    pub(crate) fn lock(word: &'t ChunkWord, blocks: &'t B) -> Self {
        loop {
            let found = word.0.load(Ordering::Relaxed);
            if found & LOCKED == 0
                && word
                    .0
                    .compare_exchange(found, found | LOCKED, Ordering::Acquire, Ordering::Relaxed)
                    .is_ok()
            {
                return Self { word, content: Content::decode(found), blocks };
            }
            spin_loop();
        }
    }

    /// The entry of a page, by its number in the chunk.
    pub(crate) fn get(&self, page: u64) -> Entry {
        match self.content {
            Content::Uniform(entry) => entry,
            Content::Mixed(number) => self.blocks.block(number).get(page),
        }
    }

    /// The entry of all pages, if they have the same.
    pub(crate) const fn uniform(&self) -> Option<Entry> {
        match self.content {
            Content::Uniform(entry) => Some(entry),
            Content::Mixed(_) => None,
        }
    }

    /// The first page of `part`, by its number in the chunk, that has another
    /// entry than this one.
    pub(crate) fn first_other(&self, part: ChunkPart, entry: Entry) -> Option<(u64, Entry)> {
        match self.content {
            Content::Uniform(found) => (found != entry).then_some((part.first_in_chunk(), found)),
            Content::Mixed(number) => self.blocks.block(number).first_other(part, entry),
        }
    }

    /// Sets the entries of `part`.
    ///
    /// # Errors
    ///
    /// It takes a block, and there is none. Not if the entries of the part were
    /// set before, to something that others of the chunk are not.
    pub(crate) fn set(&mut self, part: ChunkPart, entry: Entry) -> Result<(), Refusal> {
        if part.is_whole() {
            self.replace(Content::Uniform(entry));
            return Ok(());
        }
        match self.content {
            Content::Uniform(found) if found == entry => {}
            Content::Uniform(found) => {
                let number = self.blocks.take().ok_or(Refusal::OutOfBlocks)?;
                let block = self.blocks.block(number);
                block.fill(found);
                block.set(part, entry);
                self.content = Content::Mixed(number);
            }
            Content::Mixed(number) => self.set_in_block(number, part, entry),
        }
        Ok(())
    }

    fn set_in_block(&mut self, number: BlockNumber, part: ChunkPart, entry: Entry) {
        let block = self.blocks.block(number);
        block.set(part, entry);
        if let Some(entry) = block.uniform() {
            self.replace(Content::Uniform(entry));
        }
    }

    /// Changes the content and gives the block back that it had.
    fn replace(&mut self, content: Content) {
        if let Content::Mixed(number) = self.content {
            self.blocks.give_back(number);
        }
        self.content = content;
    }
}

impl<B: DetailBlocks> Drop for LockedChunk<'_, B> {
    fn drop(&mut self) {
        // Release: who locks next sees what was written to the block.
        self.word.0.store(self.content.encode(), Ordering::Release);
    }
}
