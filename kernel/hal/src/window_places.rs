//! What a processor knows of its windows.
//!
//! Places only: what is done with them is told in `memory/windows.rs`.

use core::sync::atomic::{AtomicU8, AtomicU64};

use crate::sync::once::Once;

/// Windows to pages of 4 KiB that a processor can have at once: two pages of one
/// call, one of its calling area, and one to spare.
pub(crate) const WINDOWS_PER_PROCESSOR: usize = 4;

/// Pages that a processor looks at again and again.
pub(crate) const STANDING_PER_PROCESSOR: usize = 2;

/// Small places of a processor: windows first, then standing ones.
pub(crate) const PLACES_PER_PROCESSOR: usize = WINDOWS_PER_PROCESSOR + STANDING_PER_PROCESSOR;

/// The entries of page tables that lead to the places of a processor.
#[derive(Debug)]
pub(crate) struct WindowEntries {
    /// Of the small places.
    pub(crate) small: [&'static AtomicU64; PLACES_PER_PROCESSOR],
    /// Of the large window.
    pub(crate) large: &'static AtomicU64,
}

/// The places of one processor. Only it changes them, with interrupts masked.
#[derive(Debug)]
pub(crate) struct WindowPlaces {
    /// Filled before the processor starts.
    pub(crate) entries: Once<WindowEntries>,
    /// A bit for each window that is open, the large one's last.
    pub(crate) open: AtomicU8,
    /// Where the standing places lead: the page's address and 1, or 0.
    pub(crate) standing: [AtomicU64; STANDING_PER_PROCESSOR],
}

impl WindowPlaces {
    /// Of a processor that has no windows yet.
    pub(crate) const fn none() -> Self {
        Self {
            entries: Once::new(),
            open: AtomicU8::new(0),
            standing: [const { AtomicU64::new(0) }; STANDING_PER_PROCESSOR],
        }
    }
}
