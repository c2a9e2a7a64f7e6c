//! Hands out page frames of free physical memory.
//!
//! A [`FramePool`] knows ranges of physical addresses and nothing of the memory
//! behind them: first it is told what there is ([`add`](FramePool::add)), then
//! what of it is in use already ([`reserve`](FramePool::reserve)), then it hands
//! out what is left, from the lowest address on. Who has no more use for a frame
//! adds it again.
//!
//! The number of ranges is a constant of the type: a pool needs no memory
//! beside itself, because it is there before all other memory is.
#![no_std]
#![forbid(unsafe_code)]

use abi_x86::SIZE_4K;

/// Physical addresses from `start` up to, not including, `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressRange {
    /// First address.
    pub start: u64,
    /// First address behind the range.
    pub end: u64,
}

impl AddressRange {
    const EMPTY: Self = Self { start: 0, end: 0 };

    /// `size` bytes from `start` on; up to the end of all addresses, if it
    /// would reach beyond.
    #[must_use]
    pub const fn of_size(start: u64, size: u64) -> Self {
        Self { start, end: start.saturating_add(size) }
    }

    /// Bytes in the range.
    #[must_use]
    pub const fn size(self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// What of the range lies below `address`, and what at or above `address`.
    const fn split(self, address: u64) -> (Self, Self) {
        let below = Self { start: self.start, end: min(self.end, address) };
        let above = Self { start: max(self.start, address), end: self.end };
        (below, above)
    }

    /// The whole frames of the range.
    const fn frames(self) -> Self {
        let start = match self.start.checked_next_multiple_of(SIZE_4K) {
            Some(start) => start,
            None => return Self::EMPTY,
        };
        Self { start, end: self.end - self.end % SIZE_4K }
    }
}

const fn min(a: u64, b: u64) -> u64 {
    if a < b { a } else { b }
}

const fn max(a: u64, b: u64) -> u64 {
    if a < b { b } else { a }
}

/// More separate free ranges than the pool can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("free memory is in more pieces than this program has room to note")]
pub struct TooManyRanges;

/// Free frames, in at most `RANGES` separate ranges.
#[derive(Clone, Debug)]
pub struct FramePool<const RANGES: usize> {
    /// Whole frames; ranges that are used up are empty.
    free: [AddressRange; RANGES],
}

impl<const RANGES: usize> FramePool<RANGES> {
    /// A pool without any frame.
    #[must_use]
    pub const fn new() -> Self {
        Self { free: [AddressRange::EMPTY; RANGES] }
    }

    /// Adds the whole frames of `range`, which the pool must not have yet.
    ///
    /// # Errors
    ///
    /// There is no room for another range; the pool is as before.
    pub fn add(&mut self, range: AddressRange) -> Result<(), TooManyRanges> {
        let mut frames = range.frames();
        if frames.size() == 0 {
            return Ok(());
        }
        // A neighbour is taken up, so that frames that come back one by one make
        // long ranges again. Its slot becomes free.
        for slot in self.free.iter_mut().filter(|slot| slot.size() != 0) {
            if slot.end == frames.start || frames.end == slot.start {
                let start = min(slot.start, frames.start);
                frames = AddressRange { start, end: max(slot.end, frames.end) };
                *slot = AddressRange::EMPTY;
            }
        }
        let slot = self.free.iter_mut().find(|slot| slot.size() == 0).ok_or(TooManyRanges)?;
        *slot = frames;
        Ok(())
    }

    /// Takes out every frame that `range` touches.
    ///
    /// # Errors
    ///
    /// Free memory falls into more ranges than there is room for. What was left
    /// without a place is lost: no frame of `range` is ever handed out.
    pub fn reserve(&mut self, range: AddressRange) -> Result<(), TooManyRanges> {
        if range.size() == 0 {
            return Ok(());
        }
        let start = range.start - range.start % SIZE_4K;
        for index in 0..RANGES {
            let Some(slot) = self.free.get_mut(index) else { break };
            let (below, rest) = slot.split(start);
            let (_, above) = rest.split(range.end);
            *slot = below;
            self.add(above)?;
        }
        Ok(())
    }

    /// The first of `count` frames that lie side by side; `None` if there are
    /// not as many.
    pub fn take(&mut self, count: u64) -> Option<u64> {
        self.take_aligned(count, SIZE_4K)
    }

    /// The first of `count` frames that lie side by side from a multiple of
    /// `alignment` on; `None` if there are not as many. Frames before them stay
    /// free.
    ///
    /// `alignment` is a multiple of 4096, in bytes. If free memory falls into
    /// more ranges than there is room for, the frames behind are lost.
    pub fn take_aligned(&mut self, count: u64, alignment: u64) -> Option<u64> {
        let size = count.checked_mul(SIZE_4K).filter(|size| *size != 0)?;
        let place_in = |range: &AddressRange| {
            let start = range.start.checked_next_multiple_of(alignment)?;
            let end = start.checked_add(size)?;
            (range.size() != 0 && end <= range.end).then_some(AddressRange { start, end })
        };
        let place = self.free.iter().filter_map(place_in).min_by_key(|place| place.start)?;
        // The place is taken even if what lies behind finds no room.
        let _ = self.reserve(place);
        Some(place.start)
    }

    /// Bytes in all free frames.
    #[must_use]
    pub fn free(&self) -> u64 {
        // Separate ranges of addresses: the sum cannot overflow.
        self.free.iter().map(|range| range.size()).sum()
    }
}

impl<const RANGES: usize> Default for FramePool<RANGES> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;
