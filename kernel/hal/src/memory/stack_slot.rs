//! Slots of stacks: whose they are, and which part is in use.
//!
//! ```text
//!  slot                                                        next slot
//!  |  unmapped guard                   |  stack, grows down    |
//!                                      bottom                  top
//! ```
//!
//! A slot's last pages are the stack. What lies below it in the slot is never
//! mapped, at least one page. So a stack that overflows, by up to a page at a
//! time, runs into its own guard; and one that is popped too far runs into that
//! of the next slot.
//!
//! All there is to know about a slot is one atomic word, so that a fault handler
//! can ask without waiting for anybody.

use core::fmt;
use core::ops::Range;
use core::sync::atomic::{AtomicU32, Ordering};

use abi_boot::PAGE_SIZE;

use super::dynamic_area::{STACK_SLOT_SIZE, STACK_SLOTS, STACKS};

/// Most pages of a stack: all of a slot but one.
pub const MOST_STACK_PAGES: u32 = (STACK_SLOT_SIZE / PAGE_SIZE) as u32 - 1;

/// Whose stack it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StackOwner {
    /// The task of this number, below 2^27.
    Task(u32),
    /// The processor of this number, below 2^27, for exceptions and for when it
    /// has no task.
    Processor(u32),
}

impl fmt::Display for StackOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Task(number) => write!(f, "task {number}"),
            Self::Processor(number) => write!(f, "processor {number}"),
        }
    }
}

/// What lies at an address in the stacks' slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StackPlace {
    /// Part of this owner's stack.
    Stack(StackOwner),
    /// The guard below this owner's stack: it has overflowed.
    Guard(StackOwner),
}

/// A word for each slot; 0 if it is free.
static SLOTS: [AtomicU32; STACK_SLOTS] = [const { AtomicU32::new(FREE) }; STACK_SLOTS];

const FREE: u32 = 0;
/// The low bits are the number of pages, at least one.
const PAGES_MASK: u32 = 0xf;
/// Set for a processor's stack.
const PROCESSOR: u32 = 1 << 4;
const NUMBER_SHIFT: u32 = 5;

/// A slot that is in use, until this is dropped.
#[derive(Debug)]
pub(super) struct StackSlot {
    index: usize,
    pages: u32,
}

impl StackSlot {
    /// Takes a slot for a stack of `pages` pages; `None` if there is none left.
    ///
    /// # Panics
    ///
    /// There are no pages, or more than [`MOST_STACK_PAGES`], or the owner's
    /// number is too large.
    pub(super) fn take(pages: u32, owner: StackOwner) -> Option<Self> {
        assert!((1..=MOST_STACK_PAGES).contains(&pages), "a stack has 1 to 15 pages");
        let word = encode(pages, owner);
        let index = SLOTS.iter().position(|slot| {
            slot.compare_exchange(FREE, word, Ordering::Acquire, Ordering::Relaxed).is_ok()
        })?;
        Some(Self { index, pages })
    }

    /// Virtual addresses of the stack.
    pub(super) const fn range(&self) -> Range<u64> {
        addresses(self.index, self.pages)
    }
}

impl Drop for StackSlot {
    fn drop(&mut self) {
        // Whoever takes it next sees that it is unmapped.
        SLOTS[self.index].store(FREE, Ordering::Release);
    }
}

/// What lies at `address`; `None` if no stack in use is there. For fault
/// handlers: it takes no lock.
#[must_use]
pub fn stack_at(address: u64) -> Option<StackPlace> {
    let offset = address.checked_sub(STACKS)?;
    let slot = SLOTS.get((offset / STACK_SLOT_SIZE) as usize)?;
    let (pages, owner) = decode(slot.load(Ordering::Relaxed))?;
    let guard_size = STACK_SLOT_SIZE - u64::from(pages) * PAGE_SIZE;
    Some(if offset % STACK_SLOT_SIZE < guard_size {
        StackPlace::Guard(owner)
    } else {
        StackPlace::Stack(owner)
    })
}

/// Every stack in use: whose it is, and its addresses.
pub(crate) fn stacks() -> impl Iterator<Item = (StackOwner, Range<u64>)> {
    SLOTS.iter().enumerate().filter_map(|(index, slot)| {
        let (pages, owner) = decode(slot.load(Ordering::Relaxed))?;
        Some((owner, addresses(index, pages)))
    })
}

/// Virtual addresses of a stack of `pages` pages.
const fn addresses(slot: usize, pages: u32) -> Range<u64> {
    let top = STACKS + (slot as u64 + 1) * STACK_SLOT_SIZE;
    top - pages as u64 * PAGE_SIZE..top
}

fn encode(pages: u32, owner: StackOwner) -> u32 {
    let (number, kind) = match owner {
        StackOwner::Task(number) => (number, 0),
        StackOwner::Processor(number) => (number, PROCESSOR),
    };
    assert!(number >> (u32::BITS - NUMBER_SHIFT) == 0, "owners are numbered with 27 bits");
    number << NUMBER_SHIFT | kind | pages
}

const fn decode(word: u32) -> Option<(u32, StackOwner)> {
    let number = word >> NUMBER_SHIFT;
    match (word & PAGES_MASK, word & PROCESSOR) {
        (0, _) => None,
        (pages, 0) => Some((pages, StackOwner::Task(number))),
        (pages, _) => Some((pages, StackOwner::Processor(number))),
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use super::*;

    /// One test, because all use the same slots.
    #[test]
    fn addresses_tell_their_owner() {
        let task = StackOwner::Task((1 << 27) - 1);
        let processor = StackOwner::Processor(0);
        let first = StackSlot::take(4, task).unwrap();
        let second = StackSlot::take(MOST_STACK_PAGES, processor).unwrap();
        assert_eq!(first.range(), STACKS + 0xc000..STACKS + 0x1_0000);
        assert_eq!(second.range(), STACKS + 0x1_1000..STACKS + 0x2_0000);
        let expected = [
            (0, None),
            (STACKS - 1, None),
            (STACKS, Some(StackPlace::Guard(task))),
            (STACKS + 0xbfff, Some(StackPlace::Guard(task))),
            (STACKS + 0xc000, Some(StackPlace::Stack(task))),
            (STACKS + 0xffff, Some(StackPlace::Stack(task))),
            (STACKS + 0x1_0000, Some(StackPlace::Guard(processor))),
            (STACKS + 0x1_1000, Some(StackPlace::Stack(processor))),
            (STACKS + 0x2_0000, None),
            (STACKS + STACK_SLOTS as u64 * STACK_SLOT_SIZE, None),
            (u64::MAX, None),
        ];
        for (address, place) in expected {
            assert_eq!(stack_at(address), place, "{address:#x}");
        }
        assert_eq!(stacks().next(), Some((task, first.range())));
        assert_eq!(stacks().count(), 2);
        drop(first);
        assert_eq!(stack_at(STACKS + 0xc000), None);
        let all: Vec<_> = core::iter::from_fn(|| StackSlot::take(1, processor)).collect();
        assert_eq!(all.len(), STACK_SLOTS - 1);
    }
}
