//! Guest physical addresses.

use core::fmt;

use abi_snp::PageSize;

/// A guest physical address, without the C-bit.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Gpa(pub u64);

impl Gpa {
    /// The first byte of the page of `size` that holds this address.
    #[must_use]
    pub const fn page(self, size: PageSize) -> Self {
        Self(self.0 & !(size.bytes() - 1))
    }

    /// Whether a page of `size` can start here.
    #[must_use]
    pub const fn is_aligned(self, size: PageSize) -> bool {
        self.0.is_multiple_of(size.bytes())
    }

    /// How many 4 KiB pages lie below the one that holds this address.
    #[must_use]
    pub const fn page_number(self) -> u64 {
        self.0 / PageSize::Size4K.bytes()
    }
}

impl fmt::Display for Gpa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

impl fmt::Debug for Gpa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Gpa({:#x})", self.0)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::format;

    use super::*;

    #[test]
    fn pages_of_both_sizes() {
        let gpa = Gpa(0x1234_5678);
        assert_eq!(gpa.page(PageSize::Size4K), Gpa(0x1234_5000));
        assert_eq!(gpa.page(PageSize::Size2M), Gpa(0x1220_0000));
        assert_eq!(gpa.page_number(), 0x12345);
        assert_eq!(Gpa(u64::MAX).page(PageSize::Size2M), Gpa(0xffff_ffff_ffe0_0000));
    }

    #[test]
    fn alignment() {
        assert!(Gpa(0).is_aligned(PageSize::Size2M));
        assert!(Gpa(0x1000).is_aligned(PageSize::Size4K));
        assert!(!Gpa(0x1000).is_aligned(PageSize::Size2M));
        assert!(!Gpa(0x1001).is_aligned(PageSize::Size4K));
    }

    #[test]
    fn shown_in_hexadecimal() {
        assert_eq!(format!("{} {:?}", Gpa(0x2000), Gpa(0x2000)), "0x2000 Gpa(0x2000)");
    }
}
