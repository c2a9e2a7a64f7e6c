//! QEMU's items for firmware (`fw_cfg`), as a guest sees them.
//!
//! A 16-bit number written to one port selects an item, whose bytes are read
//! one after the other from the next port [QEMU docs/specs/fw_cfg.rst]. The
//! items are those of the machine that the simulator runs in, but for two
//! things: the guest is not offered the interface that writes to memory, and
//! the kernel that the outer machine was started with, which is the simulator,
//! is not the guest's.

use core::ops::RangeInclusive;

/// The port to which an item's number is written, as 16 bits.
pub const SELECTOR: u16 = 0x510;
/// The port from which the item's bytes are read, one at a time.
pub const DATA: u16 = 0x511;

/// Of an item's number: it is to be written. That is not possible by ports.
const WRITE: u16 = 1 << 14;

/// The item with the features of the interface, a little-endian number of 32
/// bits, and the feature of reaching memory.
const FEATURES: u16 = 0x01;
const MEMORY_INTERFACE: u8 = 1 << 1;

/// Items with a kernel, its initial RAM disk, command line and setup code:
/// addresses, sizes and contents.
const KERNEL: [RangeInclusive<u16>; 2] = [0x07..=0x0b, 0x10..=0x18];

/// Which byte of which item comes next. As long as the guest has selected none,
/// it reads zeros: what the machine's own firmware has read last is not its
/// business.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct FirmwareConfiguration {
    item: Option<u16>,
    offset: u64,
}

impl FirmwareConfiguration {
    /// The guest selects an item.
    pub fn select(&mut self, item: u16) {
        *self = Self { item: Some(item & !WRITE), offset: 0 };
    }

    /// What the guest reads of the selected item next, where the device has
    /// `byte`.
    pub fn filter(&mut self, byte: u8) -> u8 {
        let offset = self.offset;
        self.offset = offset.saturating_add(1);
        match (self.item, offset) {
            (None, _) => 0,
            (Some(FEATURES), 0) => byte & !MEMORY_INTERFACE,
            (Some(item), _) if KERNEL.iter().any(|items| items.contains(&item)) => 0,
            (Some(_), _) => byte,
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    fn read(item: u16, bytes: &[u8]) -> Vec<u8> {
        let mut filter = FirmwareConfiguration::default();
        filter.select(item);
        bytes.iter().map(|byte| filter.filter(*byte)).collect()
    }

    #[test]
    fn the_memory_interface_is_not_offered() {
        assert_eq!(read(FEATURES, &[3, 2, 0xff, 0]), [1, 2, 0xff, 0]);
        assert_eq!(read(FEATURES | WRITE, &[3]), [1]);
        // An item of the architecture, with the same number.
        assert_eq!(read(FEATURES | 1 << 15, &[3]), [3]);
    }

    #[test]
    fn selecting_again_starts_again() {
        let mut filter = FirmwareConfiguration::default();
        for _ in 0..2 {
            filter.select(FEATURES);
            assert_eq!((filter.filter(3), filter.filter(3)), (1, 3));
        }
    }

    #[test]
    fn the_outer_kernel_is_not_the_guests() {
        let hidden = (0..=u16::MAX).filter(|item| read(*item, &[0xa5]) == [0]);
        let kernel = (0x07..=0x0b).chain(0x10..=0x18);
        assert!(hidden.eq(kernel.clone().chain(kernel.map(|item| item | WRITE))));
    }

    #[test]
    fn nothing_is_read_before_an_item_is_selected() {
        assert_eq!(FirmwareConfiguration::default().filter(0xa5), 0);
    }

    #[test]
    fn other_items_are_as_they_are() {
        assert_eq!(read(0, b"QEMU"), *b"QEMU");
        assert_eq!(read(0x19, &[0, 0, 0, 7]), [0, 0, 0, 7]);
    }
}
