//! The list of a page state change, as both sides see it.

use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout};

use crate::ghcb::page_state::entry::{PAGES_DONE_MASK, PageStateEntry, PageStateEntryError};
use crate::ghcb::page_state::outcome::PageStateOutcome;

/// Which entries are to be done: 8 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct PageStateHeader {
    /// `cur_entry`: the first entry that is not done; more than `end_entry` if
    /// all are.
    pub current_entry: u16,
    /// `end_entry`: the last entry that is to be done.
    pub end_entry: u16,
    /// Zero.
    pub reserved: u32,
}

impl PageStateHeader {
    /// The header as 8 bytes of memory.
    #[must_use]
    pub const fn encode(self) -> u64 {
        (self.reserved as u64) << 32 | (self.end_entry as u64) << 16 | self.current_entry as u64
    }

    /// The header that these 8 bytes are.
    #[must_use]
    pub const fn decode(word: u64) -> Self {
        Self {
            current_entry: word as u16,
            end_entry: (word >> 16) as u16,
            reserved: (word >> 32) as u32,
        }
    }
}

/// The whole list: it fills the buffer inside the page.
///
/// A value of this type is a private copy: see [the module](crate::ghcb) on
/// reading once. A hypervisor copies the buffer, does what [`Self::pending`]
/// lists, notes it with [`Self::record`], and copies the buffer back.
#[derive(Clone, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct PageStateBuffer {
    /// Which entries are to be done.
    pub header: PageStateHeader,
    /// The entries, see [`PageStateEntry`].
    pub entries: [u64; PageStateBuffer::CAPACITY],
}

const _: () = {
    assert!(size_of::<PageStateHeader>() == 8);
    assert!(size_of::<PageStateBuffer>() == crate::ghcb::page::SHARED_BUFFER_SIZE);
    assert!(core::mem::offset_of!(PageStateBuffer, entries) == 8);
};

/// An entry that is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PendingEntry {
    /// Its number, below [`PageStateBuffer::CAPACITY`].
    index: u16,
    /// What is to be done, after the pages that are done already; or what is
    /// wrong with it, which is to be answered with
    /// [`PageStateOutcome::INVALID_ENTRY`].
    pub entry: Result<PageStateEntry, PageStateEntryError>,
}

impl PendingEntry {
    /// Its number in the list.
    #[must_use]
    pub const fn index(self) -> u16 {
        self.index
    }
}

/// The entries that are to be done, in order.
#[derive(Clone, Debug)]
pub struct PendingEntries<'a> {
    entries: core::iter::Enumerate<core::slice::Iter<'a, u64>>,
    first: usize,
}

impl Iterator for PendingEntries<'_> {
    type Item = PendingEntry;

    fn next(&mut self) -> Option<PendingEntry> {
        let (offset, word) = self.entries.next()?;
        let index = u16::try_from(self.first + offset).ok()?;
        Some(PendingEntry { index, entry: PageStateEntry::decode(*word) })
    }
}

impl PageStateBuffer {
    /// Entries that fit.
    pub const CAPACITY: usize = 253;

    /// A list of zeros: it says that its first entry, which is malformed, is to
    /// be done.
    #[must_use]
    pub fn zeroed() -> Self {
        Self::new_zeroed()
    }

    /// The entries that are to be done; none if the first of them is behind the
    /// last.
    ///
    /// # Errors
    ///
    /// [`PageStateOutcome::INVALID_HEADER`]: there is no such last entry, or
    /// reserved bits are set.
    pub fn pending(&self) -> Result<PendingEntries<'_>, PageStateOutcome> {
        let PageStateHeader { current_entry, end_entry, reserved } = self.header;
        let first = usize::from(current_entry);
        let to_the_end = self.entries.get(..=usize::from(end_entry));
        match to_the_end {
            Some(entries) if reserved == 0 => {
                let entries = entries.get(first..).unwrap_or_default();
                Ok(PendingEntries { entries: entries.iter().enumerate(), first })
            }
            _ => Err(PageStateOutcome::INVALID_HEADER),
        }
    }

    /// Notes that `pages_done` pages of an entry are done, of all those before
    /// it all. Once all of its own are, the header moves on to the next one.
    pub fn record(&mut self, pending: PendingEntry, pages_done: u16) {
        let word = &mut self.entries[usize::from(pending.index)];
        *word = *word & !PAGES_DONE_MASK | u64::from(pages_done) & PAGES_DONE_MASK;
        let done = PageStateEntry::decode(*word).is_ok_and(PageStateEntry::is_done);
        self.header.current_entry = pending.index + u16::from(done);
    }
}
