//! All functions on bus 0, as a guest sees them.

use abi_snp::ghcb::PortIoWidth;
use alloc::vec::Vec;

use super::configuration_space::ConfigurationSpace;
use super::device_register::DeviceRegister;
use super::function::Function;
use super::header::{
    BRIDGE, BUS_MASTER, CLASS, COMMAND, HEADER_KIND, IDENTITY, MANY_FUNCTIONS, MEMORY, NO_VENDOR,
    ORDINARY, PORTS,
};
use super::shown::Shown;
use super::window::{NoRoom, Places};

/// Virtio's vendor, and its devices that are not transitional [virtio 1.2
/// §4.1.2.1].
const VIRTIO_VENDOR: u16 = 0x1af4;
const VIRTIO_DEVICES: core::ops::RangeInclusive<u16> = 0x1040..=0x107f;

/// The functions that a guest has, beside the host bridge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Devices {
    shown: Vec<Shown>,
}

impl Devices {
    /// Looks for the functions that there are, makes ready those that the guest
    /// has, and switches off all others but bridges: their memory must not
    /// answer where the guest puts that of its own.
    ///
    /// # Errors
    ///
    /// There is no place for the memory of one.
    pub(super) fn find(space: &mut impl ConfigurationSpace) -> Result<Self, NoRoom> {
        let functions: Vec<Function> = Function::firsts()
            .filter(|first| exists(*first, space))
            .collect::<Vec<_>>()
            .into_iter()
            .flat_map(|first| {
                let kind = header_kind(first, space);
                let others = (kind & MANY_FUNCTIONS != 0).then(|| first.others());
                core::iter::once(first).chain(others.into_iter().flatten())
            })
            .collect();
        let mut places = Places::all();
        let mut shown = Vec::new();
        for function in functions {
            if !exists(function, space) {
                continue;
            }
            if is_virtio(function, space) {
                shown.push(Shown::prepare(function, &mut places, space)?);
            } else if space.read(function, CLASS).to_le_bytes()[3] != BRIDGE {
                let command = space.read(function, COMMAND) as u16;
                let off = command & !(PORTS | MEMORY | BUS_MASTER);
                space.write(function, COMMAND, PortIoWidth::Two, off.into());
            }
        }
        Ok(Self { shown })
    }

    /// What the guest reads in the 32-bit register at `offset`.
    pub(super) fn read(
        &self,
        function: Function,
        offset: u8,
        space: &mut impl ConfigurationSpace,
    ) -> u32 {
        match self.shown.iter().find(|shown| shown.function == function) {
            Some(shown) => shown.read(offset, space),
            None if function == Function::HOST_BRIDGE => space.read(function, offset),
            None => u32::MAX,
        }
    }

    /// The guest writes within one register. The host bridge decides what is
    /// memory and what is not in the outer machine: it keeps what it has.
    pub(super) fn write(
        &mut self,
        function: Function,
        offset: u8,
        width: PortIoWidth,
        value: u32,
        space: &mut impl ConfigurationSpace,
    ) {
        if let Some(shown) = self.shown.iter_mut().find(|shown| shown.function == function) {
            shown.write(offset, width, value, space);
        }
    }

    /// The register in the memory of a device that the guest has.
    pub(super) fn register(&self, address: u64, length: usize) -> Option<DeviceRegister> {
        self.shown.iter().find_map(|shown| shown.register(address, length))
    }
}

fn exists(function: Function, space: &mut impl ConfigurationSpace) -> bool {
    space.read(function, IDENTITY) as u16 != NO_VENDOR
}

fn header_kind(function: Function, space: &mut impl ConfigurationSpace) -> u8 {
    space.read(function, HEADER_KIND).to_le_bytes()[2]
}

fn is_virtio(function: Function, space: &mut impl ConfigurationSpace) -> bool {
    let identity = space.read(function, IDENTITY);
    let (vendor, device) = (identity as u16, (identity >> 16) as u16);
    vendor == VIRTIO_VENDOR
        && VIRTIO_DEVICES.contains(&device)
        && header_kind(function, space) & !MANY_FUNCTIONS == ORDINARY
}

#[cfg(test)]
mod tests;
