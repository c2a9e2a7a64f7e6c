//! How the configuration registers of the outer machine are reached.

use abi_snp::ghcb::PortIoWidth;

use super::function::Function;

/// Configuration space of bus 0 of the machine that has the devices.
///
/// Accesses lie within four bytes at a multiple of four: that is the caller's
/// to see to.
pub trait ConfigurationSpace {
    /// Reads the 32-bit register at `offset`, a multiple of 4. Where there is
    /// no function, it is all ones.
    fn read(&mut self, function: Function, offset: u8) -> u32;

    /// Writes to `offset`. Bits of `value` beyond `width` do not count.
    fn write(&mut self, function: Function, offset: u8, width: PortIoWidth, value: u32);
}
