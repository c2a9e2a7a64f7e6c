//! One entry of a list of pages to validate.

use abi_snp::PageSize;

use crate::address::GuestPage;
use crate::result_code::ResultCode;

/// What shall happen to a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValidationAction {
    /// Nobody may use it any more; what it holds is lost.
    Rescind,
    /// It becomes the guest's, cleared.
    Validate,
}

/// What to do about a page that PVALIDATE finds as it was to become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unchanged {
    /// The call ends with [`ResultCode::UNCHANGED`].
    Refuse,
    /// Nothing.
    Ignore,
}

/// A page and what shall happen to it [SVSM 58019 §6.2, table 6].
///
/// | bits | meaning |
/// |---|---|
/// | 63:12 | number of the page |
/// | 11:4 | zero |
/// | 3 | [`Unchanged`] |
/// | 2 | [`ValidationAction`] |
/// | 1:0 | [`PageSize`] |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValidationEntry {
    /// The page, or the first 4 KiB of it.
    pub page: GuestPage,
    /// How large it is.
    pub size: PageSize,
    /// What shall happen to it.
    pub action: ValidationAction,
    /// What to do if it has happened already.
    pub unchanged: Unchanged,
}

/// What is wrong with an entry of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// Reserved bits are not zero.
    #[error("list entry has reserved bits {0:#x} set")]
    ReservedBits(u64),
    /// No such page size.
    #[error("list entry has page size {0}, possible are 0 and 1")]
    PageSize(u8),
    /// No page of 2 MiB starts there.
    #[error("list entry: no page of 2 MiB starts at {0:#x}")]
    Alignment(u64),
}

impl From<EntryError> for ResultCode {
    fn from(_: EntryError) -> Self {
        Self::INVALID_PARAMETER
    }
}

const RESERVED: u64 = 0xff0;
const IGNORE_UNCHANGED: u64 = 1 << 3;
const VALIDATE: u64 = 1 << 2;

/// The page and its size that an entry names in bits 63:12 and 1:0.
///
/// # Errors
///
/// [`EntryError::PageSize`], [`EntryError::Alignment`].
pub(super) fn page_and_size(word: u64) -> Result<(GuestPage, PageSize), EntryError> {
    let size = match word & 3 {
        0 => PageSize::Size4K,
        1 => PageSize::Size2M,
        other => return Err(EntryError::PageSize(other as u8)),
    };
    let page = GuestPage::containing(word);
    match page.address().is_multiple_of(size.bytes()) {
        true => Ok((page, size)),
        false => Err(EntryError::Alignment(page.address())),
    }
}

impl ValidationEntry {
    /// The entry that `word` is.
    ///
    /// # Errors
    ///
    /// The first field that is wrong.
    pub fn decode(word: u64) -> Result<Self, EntryError> {
        if word & RESERVED != 0 {
            return Err(EntryError::ReservedBits(word & RESERVED));
        }
        let (page, size) = page_and_size(word)?;
        let action = match word & VALIDATE {
            0 => ValidationAction::Rescind,
            _ => ValidationAction::Validate,
        };
        let unchanged = match word & IGNORE_UNCHANGED {
            0 => Unchanged::Refuse,
            _ => Unchanged::Ignore,
        };
        Ok(Self { page, size, action, unchanged })
    }

    /// The entry as it stands in the list.
    #[must_use]
    pub const fn encode(self) -> u64 {
        let action = match self.action {
            ValidationAction::Rescind => 0,
            ValidationAction::Validate => VALIDATE,
        };
        let unchanged = match self.unchanged {
            Unchanged::Refuse => 0,
            Unchanged::Ignore => IGNORE_UNCHANGED,
        };
        self.page.address() | action | unchanged | self.size as u64
    }
}
