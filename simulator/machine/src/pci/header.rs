//! Where things are in a function's configuration space [PCI 3.0 §6.1, §6.2].

/// Vendor in the low half, device in the high one.
pub(super) const IDENTITY: u8 = 0x00;
/// What is read as vendor where there is no function.
pub(super) const NO_VENDOR: u16 = 0xffff;

/// Command in the low half, status in the high one.
pub(super) const COMMAND: u8 = 0x04;
/// Of the command: answers at its ports, answers at its memory, accesses memory
/// itself.
pub(super) const PORTS: u16 = 1 << 0;
pub(super) const MEMORY: u16 = 1 << 1;
pub(super) const BUS_MASTER: u16 = 1 << 2;

/// The class, in the highest byte of this register.
pub(super) const CLASS: u8 = 0x08;
/// The class of bridges.
pub(super) const BRIDGE: u8 = 0x06;

/// The kind of header, in the third byte of this register.
pub(super) const HEADER_KIND: u8 = 0x0c;
/// Of that byte: the device has more functions than one; the kind.
pub(super) const MANY_FUNCTIONS: u8 = 1 << 7;
/// The kind of header that an ordinary function has.
pub(super) const ORDINARY: u8 = 0;

/// First of the base addresses, and how many there are.
pub(super) const BASE_ADDRESSES: u8 = 0x10;
pub(super) const BASE_ADDRESS_COUNT: u8 = 6;

/// Base address of the expansion ROM.
pub(super) const EXPANSION_ROM: u8 = 0x30;

/// Where the first capability is, in the lowest byte of this register.
pub(super) const CAPABILITIES: u8 = 0x34;

/// First address behind the header; capabilities are beyond.
pub(super) const HEADER_END: u8 = 0x40;
