//! Places that processors take as they come.
//!
//! All processors start with the same instructions, and none has a stack or
//! knows its number. So each takes the next place, by one instruction
//! (`entry/pvh.rs`), and with it the stack that was made for that number. The
//! numbers of those that come have no gaps, whichever they are; one that comes
//! after the first processor has given up waiting finds all places taken, and
//! halts for ever.

use core::mem::offset_of;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// Number of places. More than there can be processors other than the first, so
/// that one is always empty.
pub(crate) const PLACES: u32 = shootdown::MAX_PROCESSORS;
const PLACE_COUNT: usize = PLACES as usize;

/// Added to the number of those that have come: no place is free from then on.
const CLOSED: u32 = 1 << 31;

/// What a processor starts with. The assembly in `entry/pvh.rs` reads it.
#[derive(Debug)]
#[repr(C)]
struct Place {
    /// RSP; 0 where nothing was prepared.
    stack_top: AtomicU64,
    /// RIP.
    entry: AtomicU64,
    /// RDI.
    entry_argument: AtomicU64,
}

impl Place {
    const fn empty() -> Self {
        Self {
            stack_top: AtomicU64::new(0),
            entry: AtomicU64::new(0),
            entry_argument: AtomicU64::new(0),
        }
    }
}

/// The places, and how many were taken.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Arrivals {
    places: [Place; PLACE_COUNT],
    count: AtomicU32,
    /// Where processors come to from the trampoline, by physical address. The
    /// assembly writes it; 0 if the first processor has not come that way.
    entry_address: AtomicU32,
}

/// Those of this machine.
pub(crate) static ARRIVALS: Arrivals = Arrivals::new();

impl Arrivals {
    /// Where the assembly finds things: the places, of [`PLACE_SIZE`]
    /// bytes each, are at the start.
    ///
    /// [`PLACE_SIZE`]: Self::PLACE_SIZE
    pub(crate) const COUNT_OFFSET: usize = offset_of!(Self, count);
    /// Where it writes down the address to come to.
    pub(crate) const ENTRY_ADDRESS_OFFSET: usize = offset_of!(Self, entry_address);
    /// Bytes of a place.
    pub(crate) const PLACE_SIZE: usize = size_of::<Place>();
    /// Where a place has the stack.
    pub(crate) const STACK_TOP_OFFSET: usize = offset_of!(Place, stack_top);
    /// Where it has the first instruction.
    pub(crate) const ENTRY_OFFSET: usize = offset_of!(Place, entry);
    /// Where it has what RDI is to be.
    pub(crate) const ENTRY_ARGUMENT_OFFSET: usize = offset_of!(Place, entry_argument);

    const fn new() -> Self {
        Self {
            places: [const { Place::empty() }; PLACE_COUNT],
            count: AtomicU32::new(0),
            entry_address: AtomicU32::new(0),
        }
    }

    /// Where processors come to from the trampoline, by physical address; `None`
    /// where they cannot.
    pub(crate) fn entry_address(&self) -> Option<u32> {
        Some(self.entry_address.load(Ordering::Relaxed)).filter(|address| *address != 0)
    }

    /// Prepares a place, before any processor can come; they are taken in order.
    ///
    /// # Panics
    ///
    /// There are no more places, or this one was prepared before.
    pub(crate) fn prepare(&self, place: usize, stack_top: u64, entry: u64, entry_argument: u64) {
        assert!(place + 1 < PLACE_COUNT, "the first processor takes no place");
        let place = &self.places[place];
        place.entry.store(entry, Ordering::Relaxed);
        place.entry_argument.store(entry_argument, Ordering::Relaxed);
        // Who sees the stack sees the rest.
        let before = place.stack_top.swap(stack_top, Ordering::Release);
        assert!(before == 0, "processors are started once");
    }

    /// How many have come; more than there are prepared places if some came that
    /// nobody called, or one came twice.
    pub(crate) fn count(&self) -> u32 {
        self.count.load(Ordering::Acquire)
    }

    /// Lets nobody in any more; gives the number of those who have come.
    pub(crate) fn close(&self) -> u32 {
        self.count.fetch_or(CLOSED, Ordering::AcqRel)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the assembly does.
    fn arrive(arrivals: &Arrivals) -> Option<(u64, u64, u64)> {
        let number = arrivals.count.fetch_add(1, Ordering::AcqRel);
        if number >= PLACES {
            return None;
        }
        let place = &arrivals.places[number as usize];
        let stack_top = place.stack_top.load(Ordering::Acquire);
        let [entry, argument] =
            [&place.entry, &place.entry_argument].map(|word| word.load(Ordering::Relaxed));
        (stack_top != 0).then_some((stack_top, entry, argument))
    }

    #[test]
    fn those_who_come_have_numbers_without_gaps() {
        let arrivals = Arrivals::new();
        for place in 0..3_usize {
            arrivals.prepare(place, 0x1000 * (place as u64 + 1), 7, place as u64);
        }
        assert_eq!(arrive(&arrivals), Some((0x1000, 7, 0)));
        assert_eq!(arrive(&arrivals), Some((0x2000, 7, 1)));
        assert_eq!(arrivals.count(), 2);
        assert_eq!(arrivals.close(), 2);
        // The third comes too late.
        assert_eq!(arrive(&arrivals), None);
    }

    #[test]
    fn nobody_enters_without_a_prepared_place() {
        let arrivals = Arrivals::new();
        arrivals.prepare(0, 0x1000, 7, 8);
        assert_eq!(arrive(&arrivals), Some((0x1000, 7, 8)));
        for _ in 0..2 * PLACES {
            assert_eq!(arrive(&arrivals), None);
        }
        assert_eq!(arrivals.close(), 1 + 2 * PLACES);
    }

    #[test]
    fn the_last_place_stays_empty() {
        let arrivals = Arrivals::new();
        for place in 0..PLACE_COUNT - 1 {
            arrivals.prepare(place, 1, 2, 3);
        }
        let entered = (0..2 * PLACE_COUNT).filter_map(|_| arrive(&arrivals)).count();
        assert_eq!(entered, PLACE_COUNT - 1);
    }
}
