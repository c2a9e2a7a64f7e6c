//! What an address leads to.

use abi_x86::EntryFlags;
use nested_paging::View;

/// What a page allows, by the entries of all levels together. Which of it the
/// processor heeds depends on its registers, and was checked for the access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permissions(u8);

bitflags::bitflags! {
    impl Permissions: u8 {
        /// Writing.
        const WRITE = 1 << 0;
        /// Accesses from user mode.
        const USER = 1 << 1;
        /// Fetching instructions.
        const EXECUTE = 1 << 2;
    }
}

impl Permissions {
    /// What an entry allows by itself.
    pub(crate) fn of_entry(flags: EntryFlags) -> Self {
        let mut permissions = Self::empty();
        permissions.set(Self::WRITE, flags.contains(EntryFlags::WRITABLE));
        permissions.set(Self::USER, flags.contains(EntryFlags::USER));
        permissions.set(Self::EXECUTE, !flags.contains(EntryFlags::NO_EXECUTE));
        permissions
    }
}

/// Where an access goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Translation {
    /// Guest physical address of the byte, without the C-bit.
    pub address: u64,
    /// What the C-bit of the page's entry says; [`View::Shared`] where there is
    /// no encryption.
    ///
    /// Where entries have no room for the bit, and without paging, an encrypted
    /// guest's memory is private. That instruction fetches are private in any
    /// case is for the caller to heed [APM 24593 §15.34.5].
    pub view: View,
    /// Bytes in the page, a power of two: the translation holds for all linear
    /// addresses that differ below it only. Without paging 4 GiB.
    pub page_size: u64,
    /// What the page allows. Without paging everything.
    pub permissions: Permissions,
}
