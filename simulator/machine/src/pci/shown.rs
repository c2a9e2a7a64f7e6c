//! A virtio function as a guest sees it.

use abi_snp::ghcb::PortIoWidth;

use super::base_addresses::BaseAddresses;
use super::capabilities::Capabilities;
use super::configuration_space::ConfigurationSpace;
use super::device_register::DeviceRegister;
use super::function::Function;
use super::header::{COMMAND, EXPANSION_ROM, HEADER_END, MEMORY};
use super::registers::RegisterSet;
use super::window::{NoRoom, Places};

/// A function that the guest has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) function: Function,
    base_addresses: BaseAddresses,
    capabilities: Capabilities,
    /// Registers that read as zero and are not written.
    hidden: RegisterSet,
    /// The command that it was last given.
    command: u16,
}

impl Shown {
    /// Makes a function ready for the guest, as firmware would: its memory has
    /// a place and answers, and it does nothing of its own accord.
    ///
    /// # Errors
    ///
    /// There is no place for its memory.
    pub(super) fn prepare(
        function: Function,
        places: &mut Places,
        space: &mut impl ConfigurationSpace,
    ) -> Result<Self, NoRoom> {
        space.write(function, COMMAND, PortIoWidth::Two, 0);
        space.write(function, EXPANSION_ROM, PortIoWidth::Four, 0);
        let base_addresses = BaseAddresses::place(function, places, space)?;
        let capabilities = Capabilities::of(function, space);
        let mut hidden = base_addresses.hidden.with(capabilities.hidden);
        hidden.insert(EXPANSION_ROM);
        space.write(function, COMMAND, PortIoWidth::Two, MEMORY.into());
        Ok(Self { function, base_addresses, capabilities, hidden, command: MEMORY })
    }

    /// What the guest reads in the 32-bit register at `offset`.
    pub(super) fn read(&self, offset: u8, space: &mut impl ConfigurationSpace) -> u32 {
        if self.hidden.has(offset) {
            return 0;
        }
        self.capabilities.filter(offset, space.read(self.function, offset))
    }

    /// The guest writes within one register.
    pub(super) fn write(
        &mut self,
        offset: u8,
        width: PortIoWidth,
        value: u32,
        space: &mut impl ConfigurationSpace,
    ) {
        if self.hidden.has(offset) {
            return;
        }
        space.write(self.function, offset, width, value);
        if offset < HEADER_END {
            self.command = space.read(self.function, COMMAND) as u16;
            self.base_addresses.look_up(self.function, space);
        }
    }

    /// The register of this function's memory at `address`, if it answers
    /// there.
    pub(super) fn register(&self, address: u64, length: usize) -> Option<DeviceRegister> {
        if self.command & MEMORY == 0 || !self.base_addresses.hold(address, length) {
            return None;
        }
        DeviceRegister::new(address, length)
    }
}
