//! The two views of a guest physical address.

/// How a guest reaches a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum View {
    /// With the C-bit clear: what the host sees, too.
    Shared,
    /// With the C-bit set: what only the guest sees.
    Private,
}

/// Which bit of a guest physical address is no address but says *private*.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CBit {
    mask: u64,
}

impl CBit {
    /// The lowest bit that processors use; below it is memory.
    pub const LOWEST: u8 = 32;
    /// The highest bit of a physical address.
    pub const HIGHEST: u8 = 51;

    /// The bit of this number; `None` outside [`Self::LOWEST`] to
    /// [`Self::HIGHEST`].
    #[must_use]
    pub const fn new(number: u8) -> Option<Self> {
        if number < Self::LOWEST || number > Self::HIGHEST {
            return None;
        }
        Some(Self { mask: 1 << number })
    }

    /// The bit as a mask.
    #[must_use]
    pub const fn mask(self) -> u64 {
        self.mask
    }

    /// What a guest puts out to reach `gpa` by `view`; `None` if `gpa` does not
    /// lie below the bit.
    #[must_use]
    pub const fn address(self, gpa: u64, view: View) -> Option<u64> {
        if gpa >= self.mask {
            return None;
        }
        Some(match view {
            View::Shared => gpa,
            View::Private => gpa | self.mask,
        })
    }

    /// The page and view that a guest reaches by putting out `address`.
    #[must_use]
    pub const fn split(self, address: u64) -> (u64, View) {
        let view = if address & self.mask == 0 { View::Shared } else { View::Private };
        (address & !self.mask, view)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_there_and_back() {
        let c_bit = CBit::new(51).unwrap();
        assert_eq!(c_bit.mask(), 1 << 51);
        assert_eq!(c_bit.address(0x1234, View::Shared), Some(0x1234));
        assert_eq!(c_bit.address(0x1234, View::Private), Some(0x0008_0000_0000_1234));
        assert_eq!(c_bit.split(0x0008_0000_0000_1234), (0x1234, View::Private));
        assert_eq!(c_bit.split(0x1234), (0x1234, View::Shared));
        for address in [1 << 51, 1 << 52, u64::MAX] {
            assert_eq!(c_bit.address(address, View::Shared), None);
        }
    }

    #[test]
    fn only_bits_above_memory() {
        assert_eq!(CBit::new(31), None);
        assert_eq!(CBit::new(52), None);
        assert!(CBit::new(32).is_some() && CBit::new(47).is_some());
    }
}
