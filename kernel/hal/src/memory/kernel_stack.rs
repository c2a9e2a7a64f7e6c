//! Stacks of kernel threads and of processors.

use page_tables::Attributes;

use super::frame_kind::Stack;
use super::frames::Frames;
use super::kernel_space::edit_owned;
use super::stack_slot::{StackOwner, StackSlot};
use crate::OutOfMemory;

/// A stack with an unmapped guard below it and another above. It is zeros at
/// first, and is wiped when it is dropped.
#[derive(Debug)]
pub struct KernelStack {
    /// Owned for as long as the slot leads to them.
    frames: Frames<Stack>,
    slot: StackSlot,
}

impl KernelStack {
    /// Makes a stack of `pages` pages for `owner`.
    ///
    /// # Errors
    ///
    /// [`OutOfMemory`], also if all 2048 places for stacks are taken.
    ///
    /// # Panics
    ///
    /// See [`StackOwner`] for numbers that are too large; a stack has 1 to
    /// [`MOST_STACK_PAGES`](super::MOST_STACK_PAGES) pages.
    pub fn allocate(pages: u32, owner: StackOwner) -> Result<Self, OutOfMemory> {
        let slot = StackSlot::take(pages, owner).ok_or(OutOfMemory)?;
        let frames = Frames::allocate(pages)?;
        let (range, address) = (slot.range(), frames.address());
        edit_owned(range.clone(), |cursor| cursor.map(range, address, Attributes::KERNEL_DATA))?;
        Ok(Self { frames, slot })
    }

    /// The address just above the stack, a multiple of 4096: what the stack
    /// pointer starts with.
    #[must_use]
    pub const fn top(&self) -> u64 {
        self.slot.range().end
    }

    /// Writes `words` to the top, the last one highest, and returns the address
    /// of the first: for a stack that nobody uses yet.
    ///
    /// # Panics
    ///
    /// The words are more than the stack holds.
    pub fn fill_top(&mut self, words: &[u64]) -> u64 {
        let bytes = self.frames.bytes_mut();
        let size = size_of_val(words);
        assert!(size <= bytes.len(), "what a stack starts with fits into it");
        let start = bytes.len() - size;
        for (place, word) in bytes[start..].chunks_exact_mut(size_of::<u64>()).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        self.top() - size as u64
    }

    /// The stack's lowest address.
    #[must_use]
    pub const fn bottom(&self) -> u64 {
        self.slot.range().start
    }
}

impl Drop for KernelStack {
    fn drop(&mut self) {
        let range = self.slot.range();
        let unmapped = edit_owned(range.clone(), |cursor| cursor.unmap(range));
        assert!(unmapped.is_ok(), "stacks are mapped by small pages: nothing is left to split");
        // Now the frames are wiped and given back, then the slot is.
    }
}
