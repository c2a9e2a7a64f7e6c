//! One entry of a page state change.

use crate::ghcb::frame::GuestFrame;
use crate::page_size::PageSize;

/// What shall happen to a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum PageOperation {
    /// It becomes the guest's alone.
    Private = 1,
    /// It becomes the hypervisor's: both can read and write it.
    Shared = 2,
    /// A hint that the guest will use the 2 MiB page as 4 KiB pages.
    Psmash = 3,
    /// A hint that the guest will use the 4 KiB pages as one 2 MiB page.
    Unsmash = 4,
}

/// A page and what shall happen to it: 8 bytes [GHCB 56421 2.04 §4.1.6].
///
/// | bits | meaning |
/// |---|---|
/// | 56 | page size |
/// | 55:52 | operation |
/// | 51:12 | frame number |
/// | 11:0 | 4 KiB pages that are done |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageStateEntry {
    /// The page, or the first 4 KiB of it.
    pub frame: GuestFrame,
    /// What shall happen.
    pub operation: PageOperation,
    /// How large the page is.
    pub size: PageSize,
    /// `cur_page`: how many of its 4 KiB pages are done, from the first on.
    pub pages_done: u16,
}

/// What can be wrong with an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PageStateEntryError {
    /// Bits 63:57 are not zero.
    #[error("page state entry has reserved bits {0:#x} set")]
    ReservedBits(u64),
    /// No such operation.
    #[error("page state entry has operation {0}, possible are 1 to 4")]
    Operation(u8),
    /// No page of this size can start there.
    #[error("page state entry: {size} page at unaligned address {frame}")]
    Alignment {
        /// The page.
        frame: GuestFrame,
        /// Its size.
        size: PageSize,
    },
    /// More pages are done than there are.
    #[error("page state entry says {0} pages are done, more than there are")]
    PagesDone(u16),
}

/// Bits 11:0.
pub(super) const PAGES_DONE_MASK: u64 = 0xfff;
/// Bits 63:57.
const RESERVED: u64 = 0x7f << 57;

impl PageStateEntry {
    /// An entry of which nothing is done.
    ///
    /// # Errors
    ///
    /// No page of `size` can start at `frame`.
    pub fn new(
        frame: GuestFrame,
        operation: PageOperation,
        size: PageSize,
    ) -> Result<Self, PageStateEntryError> {
        if frame.number().is_multiple_of(u64::from(size.small_pages())) {
            Ok(Self { frame, operation, size, pages_done: 0 })
        } else {
            Err(PageStateEntryError::Alignment { frame, size })
        }
    }

    /// The entry as it stands in the buffer. Of `pages_done`, 12 bits are kept,
    /// which is enough for all that [`Self::decode`] accepts.
    #[must_use]
    pub const fn encode(self) -> u64 {
        (self.size as u64) << 56
            | (self.operation as u64) << 52
            | self.frame.address()
            | self.pages_done as u64 & PAGES_DONE_MASK
    }

    /// The entry that `word` is.
    ///
    /// # Errors
    ///
    /// The first field that is wrong.
    pub fn decode(word: u64) -> Result<Self, PageStateEntryError> {
        if word & RESERVED != 0 {
            return Err(PageStateEntryError::ReservedBits(word & RESERVED));
        }
        let operation = match (word >> 52) as u8 & 0xf {
            1 => PageOperation::Private,
            2 => PageOperation::Shared,
            3 => PageOperation::Psmash,
            4 => PageOperation::Unsmash,
            other => return Err(PageStateEntryError::Operation(other)),
        };
        let size = if word >> 56 == 0 { PageSize::Size4K } else { PageSize::Size2M };
        let entry = Self::new(GuestFrame::from_bits_51_12(word), operation, size)?;
        let pages_done = (word & PAGES_DONE_MASK) as u16;
        if pages_done > size.small_pages() {
            return Err(PageStateEntryError::PagesDone(pages_done));
        }
        Ok(Self { pages_done, ..entry })
    }

    /// Whether all of the page is done.
    #[must_use]
    pub const fn is_done(self) -> bool {
        self.pages_done >= self.size.small_pages()
    }
}
