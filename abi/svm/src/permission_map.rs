//! Maps of permissions: which ports and registers a guest reaches by itself.
//!
//! A set bit means that the access exits. Ports have one bit each
//! [APM 24593 §15.10.1], model-specific registers two: reading and writing
//! [APM 24593 §15.11].

use abi_x86::Msr;

/// Bytes of a map of I/O permissions: 65536 ports, and the few bits that an
/// access of several bytes at the last port looks at, in whole pages.
pub const IO_MAP_SIZE: usize = 0x3000;

/// Bytes of a map of register permissions.
pub const MSR_MAP_SIZE: usize = 0x2000;

/// Two neighbouring bits of the register map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MsrBits {
    /// The byte of the map that holds them: below [`MSR_MAP_SIZE`].
    pub byte: usize,
    /// The bit that makes reads exit, as a mask.
    pub read: u8,
    /// The bit that makes writes exit, as a mask.
    pub write: u8,
}

/// Where the bits of `msr` are; `None` for registers that the map does not
/// cover, which always exit.
#[must_use]
pub const fn msr_bits(msr: Msr) -> Option<MsrBits> {
    /// Registers in each part of the map, and bytes that its bits take.
    const REGISTERS: u32 = 0x2000;
    const PART_SIZE: usize = 0x800;
    let (part, index) = match msr.0 {
        number @ 0..REGISTERS => (0, number),
        number @ 0xc000_0000..0xc000_2000 => (1, number - 0xc000_0000),
        number @ 0xc001_0000..0xc001_2000 => (2, number - 0xc001_0000),
        _ => return None,
    };
    let read = 1 << (index % 4 * 2);
    Some(MsrBits { byte: part * PART_SIZE + index as usize / 4, read, write: read << 1 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registers_have_their_bits() {
        for (msr, byte, read) in [
            (0x0, 0x000, 0x01),
            (0x1b, 0x006, 0x40),
            (0x1fff, 0x7ff, 0x40),
            (0xc000_0080, 0x820, 0x01),
            (0xc000_0101, 0x840, 0x04),
            (0xc000_1fff, 0xfff, 0x40),
            (0xc001_0130, 0x104c, 0x01),
            (0xc001_1fff, 0x17ff, 0x40),
        ] {
            assert_eq!(msr_bits(Msr(msr)), Some(MsrBits { byte, read, write: read << 1 }));
        }
    }

    #[test]
    fn other_registers_have_none() {
        for msr in [0x2000, 0x4000_0000, 0xbfff_ffff, 0xc000_2000, 0xc001_2000, u32::MAX] {
            assert_eq!(msr_bits(Msr(msr)), None, "{msr:#x}");
        }
    }
}
