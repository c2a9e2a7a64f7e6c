//! A guest's side of a page state change.

use zerocopy::IntoBytes;

use crate::ghcb::frame::GuestFrame;
use crate::ghcb::page_state::buffer::{PageStateBuffer, PageStateHeader};
use crate::ghcb::page_state::entry::{
    PAGES_DONE_MASK, PageOperation, PageStateEntry, PageStateEntryError,
};
use crate::ghcb::page_state::outcome::PageStateOutcome;
use crate::page_size::PageSize;

/// A list of pages to change, in the guest's private memory.
///
/// 1. [`Self::push`] until [`Self::is_full`] or all pages are in.
/// 2. Copy [`Self::image`] to the shared buffer and exit.
/// 3. [`Self::advance`] with what the hypervisor returned. If that is not
///    [`Progress::Done`], go on with 2.
///
/// The list in the shared buffer is the hypervisor's to change; only how far it
/// came is taken from there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageStateRequest {
    buffer: PageStateBuffer,
    /// Entries in use.
    count: u16,
}

/// Why a page does not get into the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PageStateRequestError {
    /// The list has [`PageStateBuffer::CAPACITY`] entries.
    #[error("page state request is full")]
    Full,
    /// Entries are done already: the list takes no more.
    #[error("page state request is under way, no pages can be added")]
    UnderWay,
    /// There is no such page.
    #[error(transparent)]
    Entry(#[from] PageStateEntryError),
}

/// How far the hypervisor came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// All pages are done.
    Done,
    /// Some more pages are done. Ask again.
    Advanced,
    /// Not a single page more is done. Ask again, but not for ever.
    Unchanged,
}

/// What is wrong with how far the hypervisor says it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProgressError {
    /// The hypervisor gives up.
    #[error("hypervisor: page state change ends at entry {entry}: {outcome}")]
    Refused {
        /// The first entry that is not done.
        entry: u16,
        /// What the hypervisor says.
        outcome: PageStateOutcome,
    },
    /// The last entry or the reserved field was changed.
    #[error("hypervisor: page state header was changed to {0:?}")]
    Header(PageStateHeader),
    /// The current entry went back, or beyond the end.
    #[error("hypervisor: page state change is at entry {0}, which cannot be")]
    CurrentEntry(u16),
    /// An entry was changed, or its number of done pages went back or beyond the
    /// end.
    #[error("hypervisor: page state entry {entry} was changed to {word:#x}")]
    Entry {
        /// Number of the entry.
        entry: u16,
        /// What it was changed to.
        word: u64,
    },
}

impl PageStateRequest {
    /// An empty list.
    #[must_use]
    pub fn new() -> Self {
        Self { buffer: PageStateBuffer::zeroed(), count: 0 }
    }

    /// Whether no more pages fit.
    #[must_use]
    pub fn is_full(&self) -> bool {
        usize::from(self.count) == PageStateBuffer::CAPACITY
    }

    /// Adds a page.
    ///
    /// # Errors
    ///
    /// There is no room, or no page of `size` can start at `frame`.
    pub fn push(
        &mut self,
        frame: GuestFrame,
        operation: PageOperation,
        size: PageSize,
    ) -> Result<(), PageStateRequestError> {
        if self.buffer.header.current_entry != 0 {
            return Err(PageStateRequestError::UnderWay);
        }
        let entry = PageStateEntry::new(frame, operation, size)?;
        let free = self.buffer.entries.get_mut(usize::from(self.count));
        *free.ok_or(PageStateRequestError::Full)? = entry.encode();
        self.buffer.header.end_entry = self.count;
        self.count += 1;
        Ok(())
    }

    /// What the shared buffer has to hold from its start on; `None` if there is
    /// nothing to ask for.
    #[must_use]
    pub fn image(&self) -> Option<&[u8]> {
        let words = 1 + usize::from(self.count);
        let bytes = self.buffer.as_bytes().get(..8 * words)?;
        (self.buffer.header.current_entry < self.count).then_some(bytes)
    }

    /// Takes over how far the hypervisor came. `exit_info_2` is from the checked
    /// answer; `read` gets an offset in the buffer, always a multiple of 8, and
    /// gives the 8 bytes there. It is called once at most for each offset.
    ///
    /// # Errors
    ///
    /// The hypervisor gives up; the pages before [`ProgressError::Refused`]'s
    /// entry are done, by its own account. Or its account cannot be true.
    pub fn advance(
        &mut self,
        exit_info_2: u64,
        mut read: impl FnMut(usize) -> u64,
    ) -> Result<Progress, ProgressError> {
        let ours = self.buffer.header;
        let theirs = PageStateHeader::decode(read(0));
        let entry = theirs.current_entry;
        if (PageStateHeader { current_entry: ours.current_entry, ..theirs }) != ours {
            return Err(ProgressError::Header(theirs));
        }
        if entry < ours.current_entry || entry > self.count {
            return Err(ProgressError::CurrentEntry(entry));
        }
        let mut progress = Progress::Done;
        if entry < self.count {
            let word = read(8 + 8 * usize::from(entry));
            let moved = self.take_pages_done(entry, word)? || entry != ours.current_entry;
            progress = if moved { Progress::Advanced } else { Progress::Unchanged };
        }
        self.buffer.header.current_entry = entry;
        match PageStateOutcome(exit_info_2) {
            PageStateOutcome::NO_ERROR => Ok(progress),
            outcome => Err(ProgressError::Refused { entry, outcome }),
        }
    }

    /// Takes over how many pages of an entry are done; whether these are more
    /// than before.
    fn take_pages_done(&mut self, entry: u16, word: u64) -> Result<bool, ProgressError> {
        let error = ProgressError::Entry { entry, word };
        let ours = self.buffer.entries.get_mut(usize::from(entry)).ok_or(error)?;
        let changed = (word ^ *ours) & !PAGES_DONE_MASK != 0;
        if changed || word < *ours || PageStateEntry::decode(word).is_err() {
            return Err(error);
        }
        let more = word > *ours;
        *ours = word;
        Ok(more)
    }
}

impl Default for PageStateRequest {
    fn default() -> Self {
        Self::new()
    }
}
