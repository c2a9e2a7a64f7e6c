//! A fixed number of detail blocks.

use super::atomic::{AtomicU64, Ordering};
use super::detail::{BlockNumber, DetailBlock, DetailBlocks};

/// Blocks in memory of the caller's.
#[derive(Debug)]
pub struct FixedBlocks<'a> {
    blocks: &'a [DetailBlock],
    /// Where the next search begins: behind the block taken last.
    next: AtomicU64,
}

impl<'a> FixedBlocks<'a> {
    /// As many as `blocks` has, up to 2^32. They must be new.
    #[must_use]
    pub fn new(blocks: &'a [DetailBlock]) -> Self {
        Self { blocks, next: AtomicU64::new(0) }
    }

    /// How many blocks are not in use.
    #[must_use]
    pub fn free(&self) -> usize {
        self.blocks.len() - self.taken()
    }

    /// How many blocks are in use.
    #[must_use]
    pub fn taken(&self) -> usize {
        self.blocks.iter().filter(|block| block.taken.load(Ordering::Relaxed) != 0).count()
    }
}

impl DetailBlocks for FixedBlocks<'_> {
    fn take(&self) -> Option<BlockNumber> {
        let count = self.blocks.len() as u64;
        let start = self.next.load(Ordering::Relaxed);
        let number = (0..count).map(|step| (start + step) % count).find(|number| {
            let taken = &self.blocks[*number as usize].taken;
            taken.load(Ordering::Relaxed) == 0
                // Acquire: what the last user wrote is over.
                && taken.compare_exchange(0, 1, Ordering::Acquire, Ordering::Relaxed).is_ok()
        })?;
        self.next.store((number + 1) % count, Ordering::Relaxed);
        u32::try_from(number).ok().map(BlockNumber)
    }

    fn give_back(&self, BlockNumber(number): BlockNumber) {
        self.blocks[number as usize].taken.store(0, Ordering::Release);
    }

    fn block(&self, BlockNumber(number): BlockNumber) -> &DetailBlock {
        &self.blocks[number as usize]
    }
}
