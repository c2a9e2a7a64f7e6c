//! Devices: ports and memory.

use abi_snp::ghcb::PortIoWidth;

use crate::gpa::Gpa;
use crate::processors::ProcessorIndex;

/// Input and output ports. A port without a device reads as all ones and
/// swallows what is written.
pub trait Ports {
    /// Reads from a port. Bits beyond `width` do not count.
    fn read_port(&mut self, port: u16, width: PortIoWidth) -> u32;

    /// Writes to a port. Bits of `value` beyond `width` are 0.
    fn write_port(&mut self, port: u16, width: PortIoWidth, value: u32);
}

/// An access that is none to device memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("there is no device register at {0}")]
pub struct NoDevice(pub Gpa);

/// Device memory.
pub trait DeviceMemory {
    /// Reads 1 to 8 bytes from `gpa` on, for `processor`: its local APIC is its
    /// own.
    ///
    /// # Errors
    ///
    /// Such an access is not one to a device: the guest's memory is there, or no
    /// register begins there or has that length. Where there is nothing at all,
    /// what is read may be ones and what is written be lost, as on a PC.
    fn read_device(
        &mut self,
        processor: ProcessorIndex,
        gpa: Gpa,
        bytes: &mut [u8],
    ) -> Result<(), NoDevice>;

    /// Writes 1 to 8 bytes from `gpa` on, for `processor`.
    ///
    /// # Errors
    ///
    /// As [`Self::read_device`].
    fn write_device(
        &mut self,
        processor: ProcessorIndex,
        gpa: Gpa,
        bytes: &[u8],
    ) -> Result<(), NoDevice>;
}
