//! A machine with configuration space and nothing behind it.

use abi_snp::ghcb::PortIoWidth;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::configuration_space::ConfigurationSpace;
use super::function::Function;

/// Functions by their bits.
#[derive(Clone, Debug, Default)]
pub(super) struct SampleMachine {
    pub(super) functions: BTreeMap<u8, SampleFunction>,
    /// Every write, with the function's bits.
    pub(super) writes: Vec<(u8, u8, u32)>,
}

/// A function's registers, and which of their bits can be written.
#[derive(Clone, Debug)]
pub(super) struct SampleFunction {
    registers: [u32; 64],
    writable: [u32; 64],
}

impl SampleFunction {
    pub(super) fn new(vendor: u16, device: u16, class: u8) -> Self {
        let mut function = Self { registers: [0; 64], writable: [0; 64] };
        function.registers[0] = u32::from(device) << 16 | u32::from(vendor);
        function.registers[1] = 0x10_0000;
        function.writable[1] = 0x407;
        function.registers[2] = u32::from(class) << 24;
        function.writable[15] = 0xff;
        function
    }

    /// Sets the 32-bit register at `offset`.
    pub(super) fn with(mut self, offset: u8, value: u32) -> Self {
        self.registers[usize::from(offset / 4)] = value;
        self
    }

    /// Makes bits of the register at `offset` writable.
    pub(super) fn writable(mut self, offset: u8, bits: u32) -> Self {
        self.writable[usize::from(offset / 4)] = bits;
        self
    }

    pub(super) fn register(&self, offset: u8) -> u32 {
        self.registers[usize::from(offset / 4)]
    }

    /// A virtio function as QEMU has it: MSI-X in a range of its own, all else
    /// in a wide range, an expansion ROM.
    pub(super) fn virtio() -> Self {
        Self::new(0x1af4, 0x1042, 1)
            .with(0x14, 0xfebd_1000)
            .writable(0x14, 0xffff_f000)
            .with(0x20, 0xc)
            .writable(0x20, 0xffff_c000)
            .with(0x24, 0x70)
            .writable(0x24, u32::MAX)
            .with(0x30, 1)
            .writable(0x30, 0xfffc_0001)
            .with(0x34, 0x98)
            .with(0x98, 0x1_8411)
            .writable(0x98, 0xc000_0000)
            .with(0x9c, 1)
            .with(0xa0, 0x801)
            .with(0x84, 0x14_7009)
            .with(0x70, 0x10_0009)
            .writable(0x7c, u32::MAX)
    }
}

impl SampleMachine {
    pub(super) fn new<const N: usize>(functions: [(u8, SampleFunction); N]) -> Self {
        Self { functions: functions.into(), writes: Vec::new() }
    }
}

impl ConfigurationSpace for SampleMachine {
    fn read(&mut self, function: Function, offset: u8) -> u32 {
        assert!(offset.is_multiple_of(4), "the trait says so");
        self.functions.get(&function.bits()).map_or(u32::MAX, |found| found.register(offset))
    }

    fn write(&mut self, function: Function, offset: u8, width: PortIoWidth, value: u32) {
        let bytes = width as u8;
        assert!(offset % 4 + bytes <= 4, "the trait says so");
        self.writes.push((function.bits(), offset, value));
        let Some(found) = self.functions.get_mut(&function.bits()) else { return };
        let index = usize::from(offset / 4);
        let shift = 8 * u32::from(offset % 4);
        let mask = (u32::MAX >> (32 - 8 * u32::from(bytes))) << shift & found.writable[index];
        found.registers[index] = found.registers[index] & !mask | value << shift & mask;
    }
}
