//! The ports of QEMU's devices that a guest reaches.
//!
//! | ports | device |
//! |---|---|
//! | 0x40 to 0x43, 0x61 | timer (8254) and its gate |
//! | 0x70, 0x71 | clock and its memory (MC146818) |
//! | 0x3f8 to 0x3ff | first serial port (16550) |
//! | 0x600 to 0x60b | power management: events, control, timer |
//!
//! What is not in the table is not there for a guest: reads give ones, writes
//! are lost.

use core::arch::asm;
use core::ops::RangeInclusive;

/// How many bytes an access has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Width {
    One,
    Two,
    Four,
}

impl Width {
    /// All bits that an access of this width has.
    const fn mask(self) -> u32 {
        match self {
            Self::One => 0xff,
            Self::Two => 0xffff,
            Self::Four => u32::MAX,
        }
    }

    const fn bytes(self) -> u16 {
        match self {
            Self::One => 1,
            Self::Two => 2,
            Self::Four => 4,
        }
    }
}

/// INV-HV-PORT-1: none of these devices accesses memory, whatever is written.
const PASSED_THROUGH: [RangeInclusive<u16>; 5] =
    [0x40..=0x43, 0x61..=0x61, 0x70..=0x71, 0x3f8..=0x3ff, 0x600..=0x60b];

/// Whether all of an access goes to devices in the table.
fn is_passed_through(port: u16, width: Width) -> bool {
    let Some(last) = port.checked_add(width.bytes() - 1) else { return false };
    PASSED_THROUGH.iter().any(|range| range.contains(&port) && range.contains(&last))
}

/// Reads from a device.
pub(crate) fn read(port: u16, width: Width) -> u32 {
    if !is_passed_through(port, width) {
        return width.mask();
    }
    let value: u32;
    // SAFETY: INV-HV-PORT-1: the devices in the table change no memory.
    unsafe {
        match width {
            Width::One => asm!("in al, dx", in("dx") port, inout("eax") 0 => value,
                options(nomem, nostack, preserves_flags)),
            Width::Two => asm!("in ax, dx", in("dx") port, inout("eax") 0 => value,
                options(nomem, nostack, preserves_flags)),
            Width::Four => asm!("in eax, dx", in("dx") port, out("eax") value,
                options(nomem, nostack, preserves_flags)),
        }
    }
    value
}

/// Writes to a device.
pub(crate) fn write(port: u16, width: Width, value: u32) {
    if !is_passed_through(port, width) {
        return;
    }
    // SAFETY: INV-HV-PORT-1: the devices in the table change no memory.
    unsafe {
        match width {
            Width::One => asm!("out dx, al", in("dx") port, in("eax") value,
                options(nomem, nostack, preserves_flags)),
            Width::Two => asm!("out dx, ax", in("dx") port, in("eax") value,
                options(nomem, nostack, preserves_flags)),
            Width::Four => asm!("out dx, eax", in("dx") port, in("eax") value,
                options(nomem, nostack, preserves_flags)),
        }
    }
}
