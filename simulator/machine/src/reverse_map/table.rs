//! The entries of the guest's memory, and where they lie.
//!
//! Guest memory is a few ranges far apart (below and above 4 GiB, perhaps a
//! single page near the end of the address space), so there is one flat array
//! of entries and a short list of ranges that leads into it. A page of 2 MiB
//! has its entry at its head, and the 511 entries behind the head do not count. So
//! the guest's instructions and accesses touch one entry for a page of either
//! size; only splitting and joining pages, and taking them away, go through all.

use alloc::vec::Vec;
use core::ops::Range;

use crate::gpa::Gpa;
use crate::reverse_map::entry::Entry;
use abi_snp::PageSize;

const PAGES_IN_LARGE: usize = PageSize::Size2M.small_pages() as usize;

/// A range of guest memory that the reverse map covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryRange {
    /// First byte; 4 KiB-aligned.
    pub start: Gpa,
    /// How many bytes; a multiple of 4 KiB, not 0.
    pub bytes: u64,
}

/// Why there is no reverse map for these ranges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    /// A range does not start or end at a page's boundary, or is empty.
    #[error("the memory range at {start} with {bytes:#x} bytes is not whole pages of 4 KiB")]
    NotWholePages {
        /// The range's first byte.
        start: Gpa,
        /// The range's size.
        bytes: u64,
    },
    /// A range reaches beyond the 64-bit address space.
    #[error("the memory range at {start} with {bytes:#x} bytes does not end below 2^64")]
    TooHigh {
        /// The range's first byte.
        start: Gpa,
        /// The range's size.
        bytes: u64,
    },
    /// Two ranges share a page.
    #[error("two memory ranges hold the page at {0}: ranges must not overlap")]
    Overlap(Gpa),
    /// No memory for the table.
    #[error("there is no memory for the reverse map of {0} pages")]
    OutOfMemory(u64),
}

#[derive(Clone, Copy, Debug)]
struct Span {
    first_page: u64,
    pages: u64,
    first_index: usize,
}

/// Where a page's entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    /// Index of the entry that describes the page: of the head, for a part of
    /// a 2 MiB page.
    pub(crate) index: usize,
    pub(crate) entry: Entry,
}

#[derive(Clone, Debug)]
pub(crate) struct Table {
    spans: Vec<Span>,
    entries: Vec<Entry>,
}

impl Table {
    /// A table whose pages are all the hypervisor's.
    pub(crate) fn new(ranges: &[MemoryRange]) -> Result<Self, LayoutError> {
        let page_bytes = PageSize::Size4K.bytes();
        let total =
            ranges.iter().fold(0_u64, |sum, range| sum.saturating_add(range.bytes / page_bytes));
        let out_of_memory = LayoutError::OutOfMemory(total);
        let mut spans = Vec::new();
        spans.try_reserve_exact(ranges.len()).map_err(|_| out_of_memory)?;
        for &MemoryRange { start, bytes } in ranges {
            if !start.is_aligned(PageSize::Size4K)
                || !bytes.is_multiple_of(page_bytes)
                || bytes == 0
            {
                return Err(LayoutError::NotWholePages { start, bytes });
            }
            if start.0.checked_add(bytes - 1).is_none() {
                return Err(LayoutError::TooHigh { start, bytes });
            }
            let pages = bytes / page_bytes;
            spans.push(Span { first_page: start.page_number(), pages, first_index: 0 });
        }
        spans.sort_unstable_by_key(|span| span.first_page);
        let count = usize::try_from(total).map_err(|_| out_of_memory)?;
        let mut end_page = 0;
        let mut first_index = 0;
        for span in &mut spans {
            if span.first_page < end_page {
                return Err(LayoutError::Overlap(Gpa(span.first_page * page_bytes)));
            }
            end_page = span.first_page + span.pages;
            span.first_index = first_index;
            // No more than `count` pages in all.
            first_index += span.pages as usize;
        }
        let mut entries = Vec::new();
        entries.try_reserve_exact(count).map_err(|_| out_of_memory)?;
        entries.resize(count, Entry::HYPERVISOR);
        Ok(Self { spans, entries })
    }

    /// The entry that describes the page of `gpa`; `None` if none covers it.
    pub(crate) fn slot(&self, gpa: Gpa) -> Option<Slot> {
        let (span, offset) = self.find(gpa.page_number())?;
        let index = span.first_index + offset;
        let behind_head = (gpa.page_number() % PAGES_IN_LARGE as u64) as usize;
        if offset >= behind_head {
            let head = *self.entries.get(index - behind_head)?;
            if head.page_size() == PageSize::Size2M {
                return Some(Slot { index: index - behind_head, entry: head });
            }
        }
        Some(Slot { index, entry: *self.entries.get(index)? })
    }

    /// Indices of the entries of a page of `size` at `gpa`, one or 512; `None`
    /// if it is not aligned or not all of it is covered.
    pub(crate) fn indices(&self, gpa: Gpa, size: PageSize) -> Option<Range<usize>> {
        if !gpa.is_aligned(size) {
            return None;
        }
        let (span, offset) = self.find(gpa.page_number())?;
        let pages = usize::from(size.small_pages());
        if (offset as u64) + pages as u64 > span.pages {
            return None;
        }
        let first = span.first_index + offset;
        Some(first..first + pages)
    }

    /// The entries at `indices`, which came from [`Self::indices`].
    pub(crate) fn entries_mut(&mut self, indices: Range<usize>) -> &mut [Entry] {
        self.entries.get_mut(indices).unwrap_or_default()
    }

    /// Replaces the entry that [`Self::slot`] found.
    pub(crate) fn set(&mut self, slot: Slot, entry: Entry) {
        if let Some(place) = self.entries.get_mut(slot.index) {
            *place = entry;
        }
    }

    /// The first byte of each page, with its entry, in the order of addresses.
    pub(crate) fn pages(&self) -> impl Iterator<Item = (Gpa, Entry)> + '_ {
        let mut skip_below = 0;
        let small_pages = self.spans.iter().flat_map(|span| {
            (0..span.pages).zip(self.entries.get(span.first_index..).unwrap_or_default()).map(
                |(offset, entry)| {
                    (Gpa((span.first_page + offset) * PageSize::Size4K.bytes()), *entry)
                },
            )
        });
        small_pages.filter(move |(gpa, entry)| {
            let counts = gpa.page_number() >= skip_below;
            if counts {
                skip_below = gpa.page_number() + entry.page_size().small_pages() as u64;
            }
            counts
        })
    }

    fn find(&self, page: u64) -> Option<(Span, usize)> {
        self.spans.iter().find_map(|span| {
            let offset = page.checked_sub(span.first_page)?;
            (offset < span.pages).then_some((*span, offset as usize))
        })
    }
}

#[cfg(test)]
mod tests;
