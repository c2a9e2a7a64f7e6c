//! Configuration space of QEMU's PCI devices.
//!
//! [PCI 3.0 §3.2.2.3.2]: a register with an address, another with what is
//! there. What a guest may do with it is up to `machine::pci`.

use abi_snp::ghcb::PortIoWidth;
use machine::pci::{ConfigurationSpace, Function};

use crate::port::{Ports, Width};

const ADDRESS: u16 = 0xcf8;
const DATA: u16 = 0xcfc;

/// Of an address: it is one.
const ENABLED: u32 = 1 << 31;

/// QEMU's bus 0.
pub(crate) struct QemuPci;

impl ConfigurationSpace for QemuPci {
    fn read(&mut self, function: Function, offset: u8) -> u32 {
        select(function, offset);
        Ports::PCI_CONFIGURATION.input(DATA, Width::Four)
    }

    fn write(&mut self, function: Function, offset: u8, width: PortIoWidth, value: u32) {
        select(function, offset);
        let width = match width {
            PortIoWidth::One => Width::One,
            PortIoWidth::Two => Width::Two,
            PortIoWidth::Four => Width::Four,
        };
        Ports::PCI_CONFIGURATION.output(DATA + u16::from(offset & 3), width, value);
    }
}

/// Selects the register that the byte at `offset` is in.
fn select(function: Function, offset: u8) {
    let address = ENABLED | u32::from(function.bits()) << 8 | u32::from(offset & !3);
    Ports::PCI_CONFIGURATION.output(ADDRESS, Width::Four, address);
}
