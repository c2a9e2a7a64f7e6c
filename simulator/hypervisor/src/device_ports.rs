//! The ports of QEMU's devices that a guest reaches.
//!
//! | ports | device |
//! |---|---|
//! | 0x40 to 0x43, 0x61 | timer (8254) and its gate |
//! | 0x70, 0x71 | clock and its memory (MC146818) |
//! | 0x3f8 to 0x3ff | first serial port (16550) |
//! | 0x510, 0x511 | items for firmware (`fw_cfg`), without its interface to memory |
//! | 0x600 to 0x60b | power management: events, control, timer |
//!
//! Ports of PCI lead to devices that access memory: `pci_configuration.rs`. What
//! is in neither is not there for a guest: reads give ones, writes are lost.

use core::ops::RangeInclusive;

use crate::port::{Width, input, output};

/// INV-HV-PORT-1: none of these devices accesses memory, whatever is written.
const PASSED_THROUGH: [RangeInclusive<u16>; 6] =
    [0x40..=0x43, 0x61..=0x61, 0x70..=0x71, 0x3f8..=0x3ff, 0x510..=0x511, 0x600..=0x60b];

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
    // SAFETY: INV-HV-PORT-1: the devices in the table change no memory.
    unsafe { input(port, width) }
}

/// Writes to a device.
pub(crate) fn write(port: u16, width: Width, value: u32) {
    if is_passed_through(port, width) {
        // SAFETY: INV-HV-PORT-1: the devices in the table change no memory.
        unsafe { output(port, width, value) }
    }
}
