//! Addresses that a guest gives, aligned as calls demand.

use abi_x86::SIZE_4K;

/// A page of 4 KiB by its number: the guest physical address of its first byte
/// divided by 4096. It is below 2^52; whether there is such a page is another
/// question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GuestPage(u64);

impl GuestPage {
    /// The page that starts at this guest physical address, `None` if it is no
    /// multiple of 4096.
    #[must_use]
    pub const fn at(address: u64) -> Option<Self> {
        if address.is_multiple_of(SIZE_4K) { Some(Self(address / SIZE_4K)) } else { None }
    }

    /// The page that this guest physical address lies in.
    #[must_use]
    pub const fn containing(address: u64) -> Self {
        Self(address / SIZE_4K)
    }

    /// The number, below 2^52.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }

    /// Guest physical address of the first byte.
    #[must_use]
    pub const fn address(self) -> u64 {
        self.0 * SIZE_4K
    }
}

/// Guest physical address of a list or structure: a multiple of 8. What lies
/// there ends with the page at the latest [SVSM 58019 §6.2].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ListAddress(u64);

impl ListAddress {
    /// Bytes of a list's header, and of each of its entries.
    pub const ENTRY_SIZE: usize = 8;

    /// The address, `None` if it is no multiple of 8.
    #[must_use]
    pub const fn at(address: u64) -> Option<Self> {
        if address.is_multiple_of(Self::ENTRY_SIZE as u64) { Some(Self(address)) } else { None }
    }

    /// The address as a number.
    #[must_use]
    pub const fn address(self) -> u64 {
        self.0
    }

    /// The page it lies in.
    #[must_use]
    pub const fn page(self) -> GuestPage {
        GuestPage::containing(self.0)
    }

    /// Bytes from the start of the page, 0 to 4088.
    #[must_use]
    pub const fn offset(self) -> usize {
        (self.0 % SIZE_4K) as usize
    }

    /// Bytes up to the end of the page, 8 to 4096.
    #[must_use]
    pub const fn room(self) -> usize {
        SIZE_4K as usize - self.offset()
    }

    /// Entries that fit behind a header, 0 to 511.
    #[must_use]
    pub const fn capacity(self) -> usize {
        self.room() / Self::ENTRY_SIZE - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_aligned() {
        assert_eq!(GuestPage::at(0x3000).map(GuestPage::number), Some(3));
        assert_eq!(GuestPage::at(0x3001), None);
        assert_eq!(GuestPage::at(0x3000), Some(GuestPage::containing(0x3fff)));
        let last = GuestPage::containing(u64::MAX);
        assert_eq!(last.address(), u64::MAX - 0xfff);
    }

    #[test]
    fn lists_end_with_the_page() {
        let start = ListAddress::at(0x5000).unwrap();
        assert_eq!((start.offset(), start.room(), start.capacity()), (0, 4096, 511));
        let behind_the_calling_area = ListAddress::at(0x5008).unwrap();
        assert_eq!(behind_the_calling_area.capacity(), 510);
        let end = ListAddress::at(0x5ff8).unwrap();
        assert_eq!((end.page().number(), end.room(), end.capacity()), (5, 8, 0));
        assert_eq!(ListAddress::at(0x5004), None);
        assert_eq!(ListAddress::at(u64::MAX - 7).map(ListAddress::capacity), Some(0));
    }
}
