//! Where code runs: its size, its linear address, the address after it.

use abi_svm::SaveArea;
use abi_x86::{Efer, SegmentAttributes};

/// How instructions are read: default size of operands and addresses
/// [APM 24592 §1.2].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CodeSize {
    /// 16 bits: real mode, virtual-8086 mode, segments of 16 bits.
    Bits16,
    /// 32 bits: legacy and compatibility mode.
    Bits32,
    /// 64-bit mode.
    Bits64,
}

impl CodeSize {
    /// The size of the code that the processor is executing.
    ///
    /// Neither CR0.PE nor RFLAGS.VM is looked at: what counts are the attributes
    /// in CS, which the next far jump after a change of mode brings up to date.
    /// From memory; QEMU's processors do the same.
    #[must_use]
    pub const fn of(save: &SaveArea) -> Self {
        let attributes = save.cs.attributes;
        if save.efer.contains(Efer::LMA) && attributes.contains(SegmentAttributes::LONG) {
            Self::Bits64
        } else if attributes.contains(SegmentAttributes::DEFAULT_32) {
            Self::Bits32
        } else {
            Self::Bits16
        }
    }

    /// 16, 32 or 64.
    #[must_use]
    pub const fn bits(self) -> u32 {
        match self {
            Self::Bits16 => 16,
            Self::Bits32 => 32,
            Self::Bits64 => 64,
        }
    }

    /// `address` cut to this size.
    #[must_use]
    pub const fn cut(self, address: u64) -> u64 {
        address & u64::MAX >> (64 - self.bits())
    }
}

/// The linear address of the instruction that the processor is at: 64-bit mode
/// has no base of CS, and other modes have addresses of 32 bits
/// [APM 24593 §4.5.3].
#[must_use]
pub const fn instruction_address(save: &SaveArea) -> u64 {
    match CodeSize::of(save) {
        CodeSize::Bits64 => save.rip,
        CodeSize::Bits16 | CodeSize::Bits32 => {
            CodeSize::Bits32.cut(save.cs.base.wrapping_add(save.rip))
        }
    }
}

/// The instruction pointer after an instruction of `length` bytes. It wraps at
/// the size of the code.
#[must_use]
pub const fn next_rip(save: &SaveArea, length: u8) -> u64 {
    CodeSize::of(save).cut(save.rip.wrapping_add(length as u64))
}

#[cfg(test)]
mod tests {
    use abi_x86::{SegmentAttributes, SegmentRegister, SegmentSelector};
    use zerocopy::FromZeros;

    use super::*;

    fn at(efer: Efer, attributes: SegmentAttributes, base: u64, rip: u64) -> SaveArea {
        let mut save = SaveArea::new_zeroed();
        save.efer = efer;
        save.cs = SegmentRegister { selector: SegmentSelector(8), attributes, limit: 0xffff, base };
        save.rip = rip;
        save
    }

    const LONG: SegmentAttributes = SegmentAttributes::CODE_64;
    const SMALL: SegmentAttributes = SegmentAttributes::from_bits_retain(0x9b);
    const MIDDLE: SegmentAttributes = SegmentAttributes::from_bits_retain(0xc9b);

    #[test]
    fn sizes() {
        for (efer, attributes, size) in [
            (Efer::LMA, LONG, CodeSize::Bits64),
            (Efer::LMA, MIDDLE, CodeSize::Bits32),
            (Efer::LMA, SMALL, CodeSize::Bits16),
            (Efer::LME, LONG, CodeSize::Bits16),
            (Efer::empty(), MIDDLE, CodeSize::Bits32),
            (Efer::empty(), SMALL, CodeSize::Bits16),
        ] {
            assert_eq!(CodeSize::of(&at(efer, attributes, 0, 0)), size);
        }
    }

    #[test]
    fn the_reset_vector() {
        let save = at(Efer::empty(), SMALL, 0xffff_0000, 0xfff0);
        assert_eq!(instruction_address(&save), 0xffff_fff0);
        assert_eq!(next_rip(&save, 5), 0xfff5);
        assert_eq!(next_rip(&save, 15), 0xffff);
        assert_eq!(next_rip(&at(Efer::empty(), SMALL, 0, 0xffff), 2), 1);
    }

    #[test]
    fn addresses_wrap_at_their_size() {
        let save = at(Efer::LMA, MIDDLE, 0xffff_f000, 0x2000);
        assert_eq!(instruction_address(&save), 0x1000);
        assert_eq!(next_rip(&at(Efer::LMA, MIDDLE, 0, 0xffff_ffff), 2), 1);
        assert_eq!(next_rip(&at(Efer::LMA, LONG, 0, 0xffff_ffff), 2), 0x1_0000_0001);
        assert_eq!(next_rip(&at(Efer::LMA, LONG, 0, u64::MAX), 2), 1);
    }

    #[test]
    fn long_mode_has_no_base() {
        let save = at(Efer::LMA, LONG, 0x1234_0000, 0xffff_ffff_8000_0000);
        assert_eq!(instruction_address(&save), 0xffff_ffff_8000_0000);
    }
}
