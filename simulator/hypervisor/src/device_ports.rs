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

use crate::port::{Ports, Width};

static PASSED_THROUGH: [Ports; 6] = [
    Ports::TIMER,
    Ports::TIMER_GATE,
    Ports::CLOCK,
    Ports::SERIAL,
    Ports::FIRMWARE_CONFIGURATION,
    Ports::POWER,
];

/// The ports in the table that all of an access goes to.
fn passed_through(port: u16, width: Width) -> Option<&'static Ports> {
    PASSED_THROUGH.iter().find(|ports| ports.hold(port, width))
}

/// Reads from a device.
pub(crate) fn read(port: u16, width: Width) -> u32 {
    passed_through(port, width).map_or(width.mask(), |ports| ports.input(port, width))
}

/// Writes to a device.
pub(crate) fn write(port: u16, width: Width, value: u32) {
    if let Some(ports) = passed_through(port, width) {
        ports.output(port, width, value);
    }
}
