//! I/O ports by way of the host.

use abi_snp::ghcb::{
    AddressSize, ExitCode, PortIo, PortIoDirection, PortIoOperation, PortIoRepeat, PortIoSegment,
    PortIoWidth, SHARED_BUFFER_SIZE, SaveArea, ValidFields,
};
use serial::{Registers, Uart};

use super::ghcb::Ghcb;
use crate::port::COM1;
use crate::sync::mask;

/// The first serial port.
pub(crate) static CONSOLE: Uart<HostPorts> = Uart::new(HostPorts::new(COM1));

/// The platform simulator's port for marks, which no device of a PC has.
const MARK: u16 = 0xe8;

/// Sets a mark for whoever measures from outside.
pub(crate) fn mark(number: u8) {
    HostPorts::new(MARK).write(0, number);
}

/// Ports of a device that the host has, or says it has.
///
/// Whatever goes wrong looks like a port without a device, which reads as ones
/// and takes whatever is written: the console is for the host's own benefit.
pub(crate) struct HostPorts {
    first: u16,
}

impl HostPorts {
    /// The ports from `first` on.
    pub(super) const fn new(first: u16) -> Self {
        Self { first }
    }

    const fn port(&self, index: u8) -> u16 {
        self.first.saturating_add(index as u16)
    }
}

impl Registers for HostPorts {
    fn read(&self, index: u8) -> u8 {
        let masked = mask();
        let io = PortIo::single(PortIoDirection::In, self.port(index), PortIoWidth::One);
        let request = SaveArea::request(ExitCode::PORT_IO.0, io.encode(), 0);
        Ghcb::of_this_processor(&masked)
            .and_then(|ghcb| ghcb.ask(&request, ValidFields::RAX).ok())
            .map_or(u8::MAX, |outputs| outputs.rax as u8)
    }

    fn write(&self, index: u8, value: u8) {
        let masked = mask();
        let io = PortIo::single(PortIoDirection::Out, self.port(index), PortIoWidth::One);
        let request = SaveArea {
            rax: Some(value.into()),
            ..SaveArea::request(ExitCode::PORT_IO.0, io.encode(), 0)
        };
        if let Some(ghcb) = Ghcb::of_this_processor(&masked) {
            let _ = ghcb.ask(&request, ValidFields::empty());
        }
    }

    /// One request for all that fits into the page.
    fn write_all(&self, index: u8, values: &[u8]) {
        let masked = mask();
        let Some(ghcb) = Ghcb::of_this_processor(&masked) else { return };
        let io = PortIo {
            operation: PortIoOperation::String,
            repeat: PortIoRepeat::Repeated,
            address_size: Some(AddressSize::Bits64),
            segment: PortIoSegment::Ds,
            ..PortIo::single(PortIoDirection::Out, self.port(index), PortIoWidth::One)
        };
        for part in values.chunks(SHARED_BUFFER_SIZE) {
            ghcb.fill_buffer(part);
            let request = SaveArea {
                scratch: Some(ghcb.buffer_gpa()),
                ..SaveArea::request(ExitCode::PORT_IO.0, io.encode(), part.len() as u64)
            };
            let _ = ghcb.ask(&request, ValidFields::empty());
        }
    }
}
