//! The two page sizes of the reverse map.

use core::fmt;

/// Size of a page as the reverse map and its instructions encode it: 4 KiB is
/// 0, 2 MiB is 1 [APM 24593 §15.36.3, table 15-34].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum PageSize {
    /// 4 KiB.
    Size4K = 0,
    /// 2 MiB. Larger pages of a nested page table count as 2 MiB ones
    /// [APM 24593 §15.36.10].
    Size2M = 1,
}

impl PageSize {
    /// Both sizes, the small one first.
    pub const ALL: [Self; 2] = [Self::Size4K, Self::Size2M];

    /// Bytes in a page of this size.
    #[must_use]
    pub const fn bytes(self) -> u64 {
        match self {
            Self::Size4K => abi_x86::SIZE_4K,
            Self::Size2M => abi_x86::SIZE_2M,
        }
    }

    /// Pages of 4 KiB in a page of this size.
    #[must_use]
    pub const fn small_pages(self) -> u16 {
        match self {
            Self::Size4K => 1,
            Self::Size2M => abi_x86::TABLE_ENTRIES as u16,
        }
    }
}

impl fmt::Display for PageSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Size4K => "4K",
            Self::Size2M => "2M",
        })
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString;

    use super::*;

    #[test]
    fn sizes_agree_with_each_other() {
        for size in PageSize::ALL {
            assert_eq!(size.bytes(), u64::from(size.small_pages()) * PageSize::Size4K.bytes());
        }
        assert_eq!(PageSize::Size2M.bytes(), 0x20_0000);
        assert_eq!((PageSize::Size4K as u8, PageSize::Size2M as u8), (0, 1));
    }

    #[test]
    fn shown_briefly() {
        assert_eq!(PageSize::ALL.map(|size| size.to_string()), ["4K", "2M"]);
    }
}
