//! The allocator.

use core::ops::Range;

use abi_x86::SIZE_4K;

use crate::entry::{FrameEntry, FrameState, FreeBlock, MOST_FRAMES};
use crate::kind::{KINDS, Kind};

/// Order of the largest block: 2^12 frames are 16 MiB.
pub const HIGHEST_ORDER: u8 = 12;

const ORDERS: usize = HIGHEST_ORDER as usize + 1;

/// There are not as many free frames side by side as were asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not enough free memory in one piece")]
pub struct OutOfFrames;

/// Why memory was not added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddError {
    /// The range is not one of whole frames.
    #[error("{0:#x} is not the address of a frame")]
    Unaligned(u64),
    /// The allocator has no entry for the frame at this address.
    #[error("the frame at {0:#x} lies outside the allocator's memory")]
    Outside(u64),
    /// The allocator has the frame at this address already.
    #[error("the frame at {0:#x} was added before")]
    Twice(u64),
}

/// Frames of one range of physical memory. See the [crate] for how it works.
pub struct FrameAllocator<'a> {
    /// Number of the first frame that has an entry: its address divided by 4096.
    first: u64,
    entries: &'a mut [FrameEntry],
    /// Index of the first block in the list of each order.
    lists: [Option<u32>; ORDERS],
    free: u32,
    used: [u32; KINDS],
}

impl<'a> FrameAllocator<'a> {
    /// An allocator for the frames from physical address `start` on, one for
    /// each of `entries`; none of them is there until it is added.
    ///
    /// # Panics
    ///
    /// `start` is not a multiple of 4096, or there are 2^24 entries or more: the
    /// caller chooses both.
    #[must_use]
    pub fn new(start: u64, entries: &'a mut [FrameEntry]) -> Self {
        assert!(start.is_multiple_of(SIZE_4K), "frames start at multiples of 4096");
        assert!(entries.len() < MOST_FRAMES, "links of free blocks have 24 bits");
        entries.fill(FrameState::Absent.into());
        Self { first: start / SIZE_4K, entries, lists: [None; ORDERS], free: 0, used: [0; KINDS] }
    }

    /// Makes the frames at `addresses` free memory of this allocator.
    ///
    /// # Errors
    ///
    /// See [`AddError`]; nothing was added then.
    pub fn add(&mut self, addresses: Range<u64>) -> Result<(), AddError> {
        for address in [addresses.start, addresses.end] {
            if !address.is_multiple_of(SIZE_4K) {
                return Err(AddError::Unaligned(address));
            }
        }
        let frames = addresses.start / SIZE_4K..addresses.end / SIZE_4K;
        for frame in frames.clone() {
            match self.index(frame).map(|index| self.state(index)) {
                Some(FrameState::Absent) => {}
                Some(_) => return Err(AddError::Twice(frame * SIZE_4K)),
                None => return Err(AddError::Outside(frame * SIZE_4K)),
            }
        }
        self.make_free(frames);
        Ok(())
    }

    /// Address of the first of `count` frames side by side, which are of `kind`
    /// from now on. It is a multiple of 4096 times the power of two that `count`
    /// is or that follows it.
    ///
    /// # Errors
    ///
    /// [`OutOfFrames`], also for no frame at all and for more than the largest
    /// block has.
    pub fn allocate(&mut self, count: u32, kind: Kind) -> Result<u64, OutOfFrames> {
        if count == 0 || count > 1 << HIGHEST_ORDER {
            return Err(OutOfFrames);
        }
        let wanted = count.next_power_of_two().trailing_zeros() as u8;
        let mut orders = wanted..=HIGHEST_ORDER;
        let block = orders.find_map(|order| Some((self.lists[usize::from(order)]?, order)));
        let (index, order) = block.ok_or(OutOfFrames)?;
        self.unlink(index);
        self.set(index, FrameState::FreeOther);
        let size = 1 << order;
        self.free -= size;
        let first = self.first + u64::from(index);
        self.make_free(first + u64::from(count)..first + u64::from(size));
        for index in index..index + count {
            self.set(index, FrameState::Used(kind));
        }
        self.used[usize::from(kind.number())] += count;
        Ok(first * SIZE_4K)
    }

    /// Takes `count` frames back, from the one at `address` on, which were
    /// handed out as `kind`, together or apart.
    ///
    /// # Panics
    ///
    /// One of them is not in use as `kind`: somebody gives back what is not
    /// theirs.
    pub fn release(&mut self, address: u64, count: u32, kind: Kind) {
        let frames = self.claim(address, count, kind);
        self.used[usize::from(kind.number())] -= count;
        self.make_free(frames);
    }

    /// Makes frames that are in use as `from` ones that are in use as `to`.
    ///
    /// # Panics
    ///
    /// As [`release`](Self::release).
    pub fn convert(&mut self, address: u64, count: u32, from: Kind, to: Kind) {
        for frame in self.claim(address, count, from) {
            if let Some(index) = self.index(frame) {
                self.set(index, FrameState::Used(to));
            }
        }
        self.used[usize::from(from.number())] -= count;
        self.used[usize::from(to.number())] += count;
    }

    /// What the frame that `address` lies in is used for; `None` if it is free
    /// or not the allocator's.
    #[must_use]
    pub fn kind_at(&self, address: u64) -> Option<Kind> {
        match self.state(self.index(address / SIZE_4K)?) {
            FrameState::Used(kind) => Some(kind),
            _ => None,
        }
    }

    /// Number of free frames.
    #[must_use]
    pub const fn free(&self) -> u32 {
        self.free
    }

    /// Number of frames in use as `kind`.
    #[must_use]
    pub fn used(&self, kind: Kind) -> u32 {
        self.used[usize::from(kind.number())]
    }

    /// Checks that all frames are in use as `kind`, and returns their numbers.
    fn claim(&self, address: u64, count: u32, kind: Kind) -> Range<u64> {
        assert!(address.is_multiple_of(SIZE_4K), "{address:#x} is not the address of a frame");
        let first = address / SIZE_4K;
        let frames = first..first + u64::from(count);
        for frame in frames.clone() {
            let state = self.index(frame).map(|index| self.state(index));
            assert!(
                state == Some(FrameState::Used(kind)),
                "the frame at {:#x} belongs to who has it as {kind:?}, but it is {state:?}",
                frame * SIZE_4K
            );
        }
        frames
    }

    /// Puts frames that are in no list into free blocks, as large ones as fit.
    fn make_free(&mut self, frames: Range<u64>) {
        let mut next = frames.start;
        while next < frames.end {
            let aligned = next.trailing_zeros().min(u32::from(HIGHEST_ORDER));
            let order = aligned.min((frames.end - next).ilog2());
            self.insert(next, order as u8);
            next += 1 << order;
        }
    }

    /// Makes `1 << order` frames from number `frame` on a free block, or part
    /// of a larger one if its other half is free.
    fn insert(&mut self, mut frame: u64, mut order: u8) {
        self.free += 1 << order;
        if let Some(index) = self.index(frame) {
            for index in index..index + (1 << order) {
                self.set(index, FrameState::FreeOther);
            }
        }
        while order < HIGHEST_ORDER
            && let Some(half) = self.index(frame ^ 1 << order)
            && let FrameState::FreeFirst(block) = self.state(half)
            && block.order == order
        {
            self.unlink(half);
            self.set(half, FrameState::FreeOther);
            frame &= !(1 << order);
            order += 1;
        }
        if let Some(index) = self.index(frame) {
            self.link(index, order);
        }
    }

    /// Puts a block at the front of its order's list.
    fn link(&mut self, index: u32, order: u8) {
        let next = self.lists[usize::from(order)].replace(index);
        if let Some(next) = next {
            self.change(next, |block| block.previous = Some(index));
        }
        self.set(index, FrameState::FreeFirst(FreeBlock { order, previous: None, next }));
    }

    /// Takes a block out of its order's list.
    fn unlink(&mut self, index: u32) {
        let FrameState::FreeFirst(FreeBlock { order, previous, next }) = self.state(index) else {
            unreachable!("lists and halves lead to first frames of free blocks only");
        };
        match previous {
            Some(previous) => self.change(previous, |block| block.next = next),
            None => self.lists[usize::from(order)] = next,
        }
        if let Some(next) = next {
            self.change(next, |block| block.previous = previous);
        }
    }

    fn change(&mut self, index: u32, change: impl FnOnce(&mut FreeBlock)) {
        let FrameState::FreeFirst(mut block) = self.state(index) else {
            unreachable!("links lead to first frames of free blocks only");
        };
        change(&mut block);
        self.set(index, FrameState::FreeFirst(block));
    }

    /// Index of the entry of frame number `frame`, if it has one.
    fn index(&self, frame: u64) -> Option<u32> {
        let index = frame.checked_sub(self.first)?;
        (index < self.entries.len() as u64).then_some(index as u32)
    }

    fn state(&self, index: u32) -> FrameState {
        self.entries[index as usize].state()
    }

    fn set(&mut self, index: u32, state: FrameState) {
        self.entries[index as usize] = state.into();
    }
}

#[cfg(test)]
mod tests;
