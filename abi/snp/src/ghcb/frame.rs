//! Guest frame numbers.

use core::fmt;

use abi_x86::SIZE_4K;

/// A page of 4 KiB by its number: the guest physical address of its first byte
/// divided by 4096. Addresses have 52 bits, so the number is below 2^40.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GuestFrame(u64);

impl GuestFrame {
    /// Bits that a number has.
    pub const BITS: u32 = 40;

    /// The frame with this number, `None` from 2^40 on.
    #[must_use]
    pub const fn new(number: u64) -> Option<Self> {
        if number >> Self::BITS == 0 { Some(Self(number)) } else { None }
    }

    /// The frame that starts at `gpa`, `None` if no frame starts there: the
    /// address is no multiple of 4096, or 2^52 or more (a C-bit, for instance).
    #[must_use]
    pub const fn at(gpa: u64) -> Option<Self> {
        if gpa.is_multiple_of(SIZE_4K) { Self::new(gpa / SIZE_4K) } else { None }
    }

    /// The frame whose number is in bits 51:12 of `word`; other bits do not
    /// count.
    pub(super) const fn from_bits_51_12(word: u64) -> Self {
        Self((word / SIZE_4K) & ((1 << Self::BITS) - 1))
    }

    /// The number, below 2^40.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }

    /// Guest physical address of the first byte, without C-bit.
    #[must_use]
    pub const fn address(self) -> u64 {
        self.0 * SIZE_4K
    }
}

impl fmt::Display for GuestFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.address())
    }
}

impl fmt::Debug for GuestFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GuestFrame({self})")
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::format;

    use super::*;

    #[test]
    fn address_and_number() {
        let frame = GuestFrame::at(0x1234_5000).unwrap();
        assert_eq!((frame.number(), frame.address()), (0x12345, 0x1234_5000));
        assert_eq!(format!("{frame} {frame:?}"), "0x12345000 GuestFrame(0x12345000)");
    }

    #[test]
    fn limits() {
        let last = GuestFrame::new((1 << 40) - 1).unwrap();
        assert_eq!(last.address(), 0xf_ffff_ffff_f000);
        assert_eq!(GuestFrame::at(last.address()), Some(last));
        assert_eq!(GuestFrame::new(1 << 40), None);
        for gpa in [1, 0xfff, 0x1001, 1 << 52, u64::MAX] {
            assert_eq!(GuestFrame::at(gpa), None, "{gpa:#x}");
        }
    }
}
