//! How wide physical addresses are, and which bit is none of them.

use nested_paging::{CBit, View};

/// The format of physical addresses in page-table entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PhysicalAddresses {
    width: u8,
    c_bit: Option<CBit>,
}

impl PhysicalAddresses {
    /// The least and greatest width [APM 24593 §5.3].
    const WIDTHS: core::ops::RangeInclusive<u8> = 32..=52;

    /// Addresses of `width` bits: CPUID Fn8000_0008 EAX bits 7:0. `c_bit` is
    /// that of an encrypted guest, `None` without encryption; it may lie below
    /// `width` or above.
    ///
    /// `None` if the width is not 32 to 52.
    #[must_use]
    pub fn new(width: u8, c_bit: Option<CBit>) -> Option<Self> {
        Self::WIDTHS.contains(&width).then_some(Self { width, c_bit })
    }

    /// The bits up to bit 51 that must be zero in every address.
    pub(crate) const fn reserved_bits(self) -> u64 {
        let above_width = (1 << 52) - (1 << self.width);
        match self.c_bit {
            Some(c_bit) => above_width & !c_bit.mask(),
            None => above_width,
        }
    }

    /// An address without the C-bit, and the view that the C-bit says.
    pub(crate) const fn split(self, address: u64) -> (u64, View) {
        match self.c_bit {
            Some(c_bit) => c_bit.split(address),
            None => (address, View::Shared),
        }
    }

    /// The view of everything where entries have no room for a C-bit: private,
    /// in an encrypted guest [APM 24593 §15.34.5].
    pub(crate) const fn view_without_c_bit(self) -> View {
        match self.c_bit {
            Some(_) => View::Private,
            None => View::Shared,
        }
    }
}
