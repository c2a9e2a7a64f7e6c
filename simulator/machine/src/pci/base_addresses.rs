//! Ranges of a function's memory: how large they are, and where
//! [PCI 3.0 §6.2.5].
//!
//! Sizes are asked for once, by writing ones: address bits that stay zero are
//! below the size. The guest may move the ranges and ask for sizes itself; what
//! it has written is looked up in the device.

use abi_snp::ghcb::PortIoWidth;
use alloc::vec::Vec;

use super::configuration_space::ConfigurationSpace;
use super::function::Function;
use super::header::{BASE_ADDRESS_COUNT, BASE_ADDRESSES};
use super::registers::RegisterSet;
use super::window::{NoRoom, Places};

/// Of a base address: a range of ports.
const IS_PORTS: u32 = 1;
/// Of a base address in memory: where it may be, and that it has 64 bits.
const KIND: u32 = 0b110;
const WIDE: u32 = 0b100;
/// Bits that are no part of an address.
const FLAGS: u32 = 0xf;

/// A function's ranges of memory.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(super) struct BaseAddresses {
    ranges: Vec<Range>,
    /// Registers with ranges of ports, which the guest does not see.
    pub(super) hidden: RegisterSet,
}

/// A range of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Range {
    /// Where its register is, the lower one of a wide one.
    offset: u8,
    width: Width,
    /// A power of two.
    bytes: u64,
    /// Where it was when it was last looked up.
    start: u64,
}

/// How many bits a base address has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Width {
    Narrow,
    Wide,
}

impl BaseAddresses {
    /// Asks a function for its ranges and gives each a place. The function must
    /// not answer at any meanwhile. Its ranges of ports are taken away.
    ///
    /// # Errors
    ///
    /// There is no place for one.
    pub(super) fn place(
        function: Function,
        places: &mut Places,
        space: &mut impl ConfigurationSpace,
    ) -> Result<Self, NoRoom> {
        let mut found = Self::default();
        let mut registers = (0..BASE_ADDRESS_COUNT).map(|index| BASE_ADDRESSES + 4 * index);
        while let Some(offset) = registers.next() {
            let low = ask(function, offset, space);
            if low & IS_PORTS != 0 {
                write(function, offset, 0, space);
                found.hidden.insert(offset);
                continue;
            }
            let (width, high) = if low & KIND == WIDE {
                let Some(upper) = registers.next() else { break };
                (Width::Wide, ask(function, upper, space))
            } else {
                (Width::Narrow, u32::MAX)
            };
            let bits = u64::from(high) << 32 | u64::from(low & !FLAGS);
            if low & !FLAGS == 0 && (width == Width::Narrow || high == 0) {
                continue;
            }
            // The lowest address bit that there is. What is below stays zero.
            let bytes = 1 << bits.trailing_zeros();
            let start = places.take(function, bytes)?;
            // Places are below 4 GiB.
            write(function, offset, start as u32, space);
            if width == Width::Wide {
                write(function, offset + 4, 0, space);
            }
            found.ranges.push(Range { offset, width, bytes, start });
        }
        Ok(found)
    }

    /// Looks up where the ranges are.
    pub(super) fn look_up(&mut self, function: Function, space: &mut impl ConfigurationSpace) {
        for range in &mut self.ranges {
            let low = space.read(function, range.offset) & !FLAGS;
            let high = match range.width {
                Width::Narrow => 0,
                Width::Wide => space.read(function, range.offset + 4),
            };
            range.start = u64::from(high) << 32 | u64::from(low);
        }
    }

    /// Whether all of `length` bytes from `address` on lie in one range.
    pub(super) fn hold(&self, address: u64, length: usize) -> bool {
        self.ranges.iter().any(|range| {
            let offset = address.checked_sub(range.start);
            let end = offset.and_then(|offset| offset.checked_add(length as u64));
            end.is_some_and(|end| end <= range.bytes)
        })
    }
}

/// What a register holds after ones were written.
fn ask(function: Function, offset: u8, space: &mut impl ConfigurationSpace) -> u32 {
    write(function, offset, u32::MAX, space);
    space.read(function, offset)
}

fn write(function: Function, offset: u8, value: u32, space: &mut impl ConfigurationSpace) {
    space.write(function, offset, PortIoWidth::Four, value);
}

#[cfg(test)]
mod tests;
