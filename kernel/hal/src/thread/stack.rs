//! Stacks of threads.

#[cfg(target_os = "none")]
pub use crate::memory::KernelStack as Stack;
#[cfg(not(target_os = "none"))]
pub use imitated::Stack;

/// A stack from the heap of a process, where there is an operating system: it
/// has no guards.
#[cfg(not(target_os = "none"))]
mod imitated {
    use alloc::vec::Vec;
    use core::sync::atomic::{AtomicU64, Ordering};

    use crate::OutOfMemory;
    use crate::memory::StackOwner;

    /// Bytes in a [`Block`].
    const BLOCK_SIZE: usize = 4096;
    const WORDS_PER_BLOCK: usize = BLOCK_SIZE / size_of::<u64>();

    /// A page of a stack. Its words are atomic because a thread uses them behind
    /// the back of whoever owns the stack.
    #[repr(C, align(4096))]
    #[derive(Debug)]
    struct Block([AtomicU64; WORDS_PER_BLOCK]);

    const _: () = assert!(size_of::<Block>() == BLOCK_SIZE);

    /// Memory for a thread's stack.
    #[derive(Debug)]
    pub struct Stack {
        blocks: Vec<Block>,
    }

    impl Stack {
        /// A stack of `pages` pages of 4096 bytes, at least one.
        ///
        /// # Errors
        ///
        /// [`OutOfMemory`].
        pub fn allocate(pages: u32, _owner: StackOwner) -> Result<Self, OutOfMemory> {
            let pages = pages.max(1) as usize;
            let mut blocks = Vec::new();
            blocks.try_reserve_exact(pages).map_err(|_| OutOfMemory)?;
            #[expect(clippy::disallowed_methods, reason = "there is room: it was reserved")]
            blocks.resize_with(pages, || Block([const { AtomicU64::new(0) }; WORDS_PER_BLOCK]));
            Ok(Self { blocks })
        }

        /// Writes `words` to the top, the last one highest, and returns the
        /// address of the first.
        pub fn fill_top(&mut self, words: &[u64]) -> u64 {
            let Some(block) = self.blocks.last() else { unreachable!("a stack has a page") };
            let start = WORDS_PER_BLOCK.saturating_sub(words.len());
            let places = block.0.get(start..).unwrap_or_default();
            assert!(places.len() == words.len(), "what a stack starts with fits into a page");
            for (place, word) in places.iter().zip(words) {
                place.store(*word, Ordering::Relaxed);
            }
            // The thread reaches all of the stack by this address, not only the
            // words above it.
            self.blocks.as_ptr().expose_provenance();
            places.as_ptr().addr() as u64
        }
    }
}
