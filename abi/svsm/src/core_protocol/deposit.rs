//! Pages that the guest gives the module, and takes back.

use abi_snp::PageSize;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::address::GuestPage;
use crate::core_protocol::validation::{EntryError, page_and_size};

/// A page that becomes the module's [SVSM 58019 §6.5, table 7]: its number in
/// bits 63:12, its size in bits 1:0; those between are zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DepositEntry {
    /// The page, or the first 4 KiB of it.
    pub page: GuestPage,
    /// How large it is.
    pub size: PageSize,
}

const RESERVED: u64 = 0xffc;

impl DepositEntry {
    /// The entry that `word` is.
    ///
    /// # Errors
    ///
    /// The first field that is wrong.
    pub fn decode(word: u64) -> Result<Self, EntryError> {
        if word & RESERVED != 0 {
            return Err(EntryError::ReservedBits(word & RESERVED));
        }
        page_and_size(word).map(|(page, size)| Self { page, size })
    }

    /// The entry as it stands in the list.
    #[must_use]
    pub const fn encode(self) -> u64 {
        self.page.address() | self.size as u64
    }
}

/// The first 8 bytes of the list that the module writes; the guest physical
/// addresses of pages of 4 KiB follow [SVSM 58019 §6.6, table 8].
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct WithdrawHeader {
    /// How many pages there are; none is possible.
    pub entries: u16,
    /// Without a meaning; the module writes zeros.
    pub unused: [u8; 6],
}

const _: () = assert!(size_of::<WithdrawHeader>() == 8);

impl WithdrawHeader {
    /// The header of a list of so many pages.
    #[must_use]
    pub const fn new(entries: u16) -> Self {
        Self { entries, unused: [0; 6] }
    }
}
