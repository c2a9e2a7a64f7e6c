//! The two registers by which software reaches configuration space
//! [PCI 3.0 §3.2.2.3.2].
//!
//! | ports | register |
//! |---|---|
//! | 0xcf8 to 0xcfb | address, only as a whole: bit 31 set; bus 23:16, device 15:11, function 10:8, register 7:2 |
//! | 0xcfc to 0xcff | the register at that address, or bytes of it |

use abi_snp::ghcb::PortIoWidth;

use super::configuration_space::ConfigurationSpace;
use super::device_register::DeviceRegister;
use super::devices::Devices;
use super::function::Function;
use super::window::NoRoom;
use crate::gpa::Gpa;

const ADDRESS: u16 = 0xcf8;
const DATA: u16 = 0xcfc;
const DATA_END: u16 = DATA + 4;

/// Of an address: it is one.
const ENABLED: u32 = 1 << 31;

/// A guest's PCI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pci {
    address: u32,
    devices: Devices,
}

impl Pci {
    /// Finds the devices that the guest has, and makes them ready.
    ///
    /// # Errors
    ///
    /// There is no place for the memory of one.
    pub fn find(space: &mut impl ConfigurationSpace) -> Result<Self, NoRoom> {
        Ok(Self { address: 0, devices: Devices::find(space)? })
    }

    /// Whether the port is one of PCI's.
    #[must_use]
    pub const fn has(port: u16) -> bool {
        ADDRESS <= port && port < DATA_END
    }

    /// The guest reads a port. What is no access to either register gives
    /// ones.
    pub fn read_port(
        &self,
        port: u16,
        width: PortIoWidth,
        space: &mut impl ConfigurationSpace,
    ) -> u32 {
        if port == ADDRESS && width == PortIoWidth::Four {
            return self.address;
        }
        let ones = u32::MAX >> (32 - 8 * width as u32);
        let Some((function, offset)) = self.selected(port, width) else { return ones };
        let value = self.devices.read(function, offset & !3, space);
        value >> (8 * u32::from(offset & 3)) & ones
    }

    /// The guest writes a port. What is no access to either register has no
    /// effect.
    pub fn write_port(
        &mut self,
        port: u16,
        width: PortIoWidth,
        value: u32,
        space: &mut impl ConfigurationSpace,
    ) {
        if port == ADDRESS && width == PortIoWidth::Four {
            self.address = value;
        } else if let Some((function, offset)) = self.selected(port, width) {
            self.devices.write(function, offset, width, value, space);
        }
    }

    /// The register of `length` bytes at `gpa` in the memory of a device that
    /// the guest has.
    ///
    /// `None` where there is none, or if it is not 1, 2, 4 or 8 bytes at a
    /// multiple of that.
    #[must_use]
    pub fn device_register(&self, gpa: Gpa, length: usize) -> Option<DeviceRegister> {
        self.devices.register(gpa.0, length)
    }

    /// What an access to the data ports goes to: a function on bus 0, and the
    /// first byte in its configuration space.
    fn selected(&self, port: u16, width: PortIoWidth) -> Option<(Function, u8)> {
        let first = port.checked_sub(DATA)?;
        let end = first.checked_add(width as u16)?;
        let [register, function, bus, _] = self.address.to_le_bytes();
        let is_selected = self.address & ENABLED != 0 && bus == 0 && end <= DATA_END - DATA;
        is_selected.then_some((Function::from_bits(function), register & !3 | first as u8))
    }
}

#[cfg(test)]
mod tests;
