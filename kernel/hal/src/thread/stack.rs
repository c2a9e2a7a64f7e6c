//! Stacks.

use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering};

use crate::OutOfMemory;

/// Bytes in a [`Block`].
const BLOCK_SIZE: usize = 4096;
const WORDS_PER_BLOCK: usize = BLOCK_SIZE / size_of::<u64>();

/// A page of a stack. Its words are atomic because a thread uses them behind
/// the back of whoever owns the stack.
#[repr(C, align(4096))]
struct Block([AtomicU64; WORDS_PER_BLOCK]);

const _: () = assert!(size_of::<Block>() == BLOCK_SIZE);

/// Memory for a thread's stack. It is freed when this is dropped, which a
/// [`Context`](super::Context) does not allow before the thread has left it.
pub struct Stack {
    blocks: Vec<Block>,
}

impl Stack {
    /// A stack of `pages` pages of 4096 bytes, at least one.
    ///
    /// # Errors
    ///
    /// [`OutOfMemory`].
    pub fn allocate(pages: usize) -> Result<Self, OutOfMemory> {
        let pages = pages.max(1);
        let mut blocks = Vec::new();
        blocks.try_reserve_exact(pages).map_err(|_| OutOfMemory)?;
        #[expect(clippy::disallowed_methods, reason = "there is room: it was reserved")]
        blocks.resize_with(pages, || Block([const { AtomicU64::new(0) }; WORDS_PER_BLOCK]));
        Ok(Self { blocks })
    }

    /// Writes `words` to the top, the last one highest, and returns the address
    /// of the first.
    pub(super) fn fill_top(&self, words: &[u64]) -> u64 {
        let Some(block) = self.blocks.last() else { unreachable!("a stack has a page") };
        let places = block.0.get(WORDS_PER_BLOCK.saturating_sub(words.len())..).unwrap_or_default();
        assert!(places.len() == words.len(), "what a thread starts with fits into a page");
        for (place, word) in places.iter().zip(words) {
            place.store(*word, Ordering::Relaxed);
        }
        // The thread reaches all of the stack by this address, not only the
        // words above it.
        self.blocks.as_ptr().expose_provenance();
        places.as_ptr().addr() as u64
    }
}
