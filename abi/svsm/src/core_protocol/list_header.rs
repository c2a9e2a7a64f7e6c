//! The head of a list of pages.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::result_code::ResultCode;

/// The first 8 bytes of a list that the guest makes [SVSM 58019 §6.2, table 6].
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct ListHeader {
    /// How many entries there are, at least 1. The list must end with the page.
    pub entries: u16,
    /// The first entry that is not done. The module writes it back: after a
    /// success it is [`Self::entries`], after an error the entry that failed.
    pub next: u16,
    /// Free; the module keeps it.
    pub reserved: u32,
}

const _: () = assert!(size_of::<ListHeader>() == 8);

/// What is wrong with a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// No entries, or more than fit in the page.
    #[error("the list has {entries} entries; from where it lies, 1 to {capacity} fit in the page")]
    Length {
        /// Entries that it says.
        entries: u16,
        /// Entries that fit.
        capacity: usize,
    },
    /// The next entry is none of the list.
    #[error("entry {next} is to be next, of a list of {entries}")]
    Next {
        /// The next entry.
        next: u16,
        /// Entries that there are.
        entries: u16,
    },
}

impl From<ListError> for ResultCode {
    fn from(_: ListError) -> Self {
        Self::INVALID_PARAMETER
    }
}

impl ListHeader {
    /// A list of which nothing is done.
    #[must_use]
    pub const fn new(entries: u16) -> Self {
        Self { entries, next: 0, reserved: 0 }
    }

    /// Says whether the header makes sense where it lies.
    ///
    /// # Errors
    ///
    /// The list does not fit with its `capacity`, see
    /// [`ListAddress::capacity`](crate::ListAddress::capacity), or nothing is
    /// left to do.
    pub const fn check(self, capacity: usize) -> Result<(), ListError> {
        let Self { entries, next, .. } = self;
        if entries == 0 || entries as usize > capacity {
            Err(ListError::Length { entries, capacity })
        } else if next >= entries {
            Err(ListError::Next { next, entries })
        } else {
            Ok(())
        }
    }
}
