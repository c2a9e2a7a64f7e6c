//! Segments: selectors, attributes and descriptors.
//!
//! In long mode only a few bits of a segment still count, but the processor
//! checks all of them when it loads a segment register, and save areas hold them
//! in a packed form of their own, [`SegmentAttributes`]. The descriptors here are
//! made from those attributes, so that the two cannot differ.
//!
//! Sources: [APM 24593 §4.6 to §4.8] for descriptors and selectors, [APM 24593
//! §15.5.1] for the packed attributes.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::flag_names::show_flag_names;
use crate::task_state::TaskStateSegment;

/// A reference to an entry of the global descriptor table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct SegmentSelector(pub u16);

impl SegmentSelector {
    /// Refers to no segment.
    pub const NULL: Self = Self(0);

    /// The entry of this index, counted in units of 8 bytes, with requested
    /// privilege level 0. `None` for an index above 8191.
    #[must_use]
    pub const fn supervisor(index: u16) -> Option<Self> {
        if index < 1 << 13 { Some(Self(index << 3)) } else { None }
    }
}

/// Attributes of a segment as save areas hold them: bits 40 to 47 and 52 to 55 of
/// a descriptor, side by side.
#[derive(Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct SegmentAttributes(u16);

bitflags::bitflags! {
    impl SegmentAttributes: u16 {
        /// Code or data: the segment has been loaded.
        const ACCESSED = 1 << 0;
        /// Code: may be read. Data: may be written.
        const READ_WRITE = 1 << 1;
        /// Code: conforming. Data: expands downwards.
        const CONFORMING = 1 << 2;
        /// Code, not data.
        const CODE = 1 << 3;
        /// Code or data, not a system segment.
        const CODE_OR_DATA = 1 << 4;
        /// Both bits of the privilege level: level 3 when set.
        const USER = 3 << 5;
        /// The descriptor is valid.
        const PRESENT = 1 << 7;
        /// For the operating system's use.
        const AVAILABLE = 1 << 8;
        /// Code for 64-bit mode.
        const LONG = 1 << 9;
        /// Operands of 32 bits; must be clear where [`Self::LONG`] is set.
        const DEFAULT_32 = 1 << 10;
        /// The limit counts pages of 4096 bytes.
        const GRANULARITY = 1 << 11;
    }
}

show_flag_names!(SegmentAttributes);

/// The type field of a local descriptor table.
const TYPE_LDT: u16 = 0x2;
/// The type field of a 64-bit task-state segment that no task register holds.
const TYPE_TSS_AVAILABLE: u16 = 0x9;
/// The type field of a 64-bit task-state segment in the task register.
const TYPE_TSS_BUSY: u16 = 0xb;

impl SegmentAttributes {
    const LOADED: Self = Self::ACCESSED
        .union(Self::READ_WRITE)
        .union(Self::CODE_OR_DATA)
        .union(Self::PRESENT)
        .union(Self::GRANULARITY);

    /// Supervisor code in 64-bit mode, accessed.
    pub const CODE_64: Self = Self::LOADED.union(Self::CODE).union(Self::LONG);
    /// Supervisor data, flat and accessed.
    pub const DATA: Self = Self::LOADED.union(Self::DEFAULT_32);
    /// What the local descriptor table register holds after a reset.
    pub const LDT: Self = Self(TYPE_LDT).union(Self::PRESENT);
    /// A 64-bit task-state segment that LTR can load.
    pub const TSS_AVAILABLE: Self = Self(TYPE_TSS_AVAILABLE).union(Self::PRESENT);
    /// A 64-bit task-state segment in the task register.
    pub const TSS_BUSY: Self = Self(TYPE_TSS_BUSY).union(Self::PRESENT);

    /// The attributes in their places in a descriptor.
    const fn in_descriptor(self) -> u64 {
        let bits = self.0 as u64;
        (bits & 0xff) << 40 | (bits >> 8 & 0xf) << 52
    }
}

/// A segment register, or the register of a descriptor table, which uses only
/// `limit` and `base`, as a save area holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct SegmentRegister {
    /// The selector that was loaded.
    pub selector: SegmentSelector,
    /// Attributes of the descriptor.
    pub attributes: SegmentAttributes,
    /// Limit in bytes: the granularity has been applied.
    pub limit: u32,
    /// First virtual address of the segment or table.
    pub base: u64,
}

/// An 8-byte descriptor of a code or data segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct SegmentDescriptor(u64);

impl SegmentDescriptor {
    /// The first entry of every descriptor table.
    pub const NULL: Self = Self(0);

    /// A segment from address 0 with the largest limit.
    #[must_use]
    pub const fn flat(attributes: SegmentAttributes) -> Self {
        const LIMIT: u64 = 0xf << 48 | 0xffff;
        Self(attributes.in_descriptor() | LIMIT)
    }

    /// The descriptor as the processor reads it.
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0
    }
}

/// A 16-byte descriptor of a 64-bit task-state segment; it takes two entries
/// of the global descriptor table [APM 24593 §4.8.3].
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct TssDescriptor([u64; 2]);

impl TssDescriptor {
    /// The [`TaskStateSegment`] at virtual address `base`, available, without
    /// a map of I/O permissions behind it.
    #[must_use]
    pub const fn new(base: u64) -> Self {
        let limit = size_of::<TaskStateSegment>() as u64 - 1;
        let base_low = (base & 0xff_ffff) << 16 | (base >> 24 & 0xff) << 56;
        Self([base_low | limit | SegmentAttributes::TSS_AVAILABLE.in_descriptor(), base >> 32])
    }

    /// The two entries of the descriptor table, in order.
    #[must_use]
    pub const fn bits(self) -> [u64; 2] {
        self.0
    }
}

/// The operand of LGDT and LIDT in 64-bit mode [APM 24593 §4.6.2].
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, packed)]
pub struct DescriptorTablePointer {
    /// Size of the table in bytes, minus one.
    pub limit: u16,
    /// Virtual address of the table.
    pub base: u64,
}

const _: () = assert!(size_of::<SegmentRegister>() == 16);
const _: () = assert!(size_of::<SegmentDescriptor>() == 8);
const _: () = assert!(size_of::<TssDescriptor>() == 16);
const _: () = assert!(size_of::<DescriptorTablePointer>() == 10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_as_a_save_area_holds_them() {
        assert_eq!(SegmentAttributes::CODE_64.bits(), 0xa9b);
        assert_eq!(SegmentAttributes::DATA.bits(), 0xc93);
        assert_eq!(SegmentAttributes::LDT.bits(), 0x82);
        assert_eq!(SegmentAttributes::TSS_AVAILABLE.bits(), 0x89);
        assert_eq!(SegmentAttributes::TSS_BUSY.bits(), 0x8b);
    }

    #[test]
    fn flat_descriptors() {
        let code = SegmentDescriptor::flat(SegmentAttributes::CODE_64);
        assert_eq!(code.bits(), 0x00af_9b00_0000_ffff);
        let data = SegmentDescriptor::flat(SegmentAttributes::DATA | SegmentAttributes::USER);
        assert_eq!(data.bits(), 0x00cf_f300_0000_ffff);
    }

    #[test]
    fn task_state_descriptor_holds_the_whole_base() {
        let descriptor = TssDescriptor::new(0x1122_3344_5566_7788);
        assert_eq!(descriptor.bits(), [0x5500_8966_7788_0067, 0x1122_3344]);
    }

    #[test]
    fn selectors() {
        assert_eq!(SegmentSelector::supervisor(2), Some(SegmentSelector(0x10)));
        assert_eq!(SegmentSelector::supervisor(8191), Some(SegmentSelector(0xfff8)));
        assert_eq!(SegmentSelector::supervisor(8192), None);
    }

    #[test]
    fn pointer_has_no_gap() {
        let pointer = DescriptorTablePointer { limit: 0x0fff, base: 0x8877_6655_4433_2211 };
        let bytes = [0xff, 0x0f, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88];
        assert_eq!(pointer.as_bytes(), bytes);
    }
}
