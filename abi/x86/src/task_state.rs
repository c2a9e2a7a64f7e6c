//! The 64-bit task-state segment.
//!
//! In long mode it only holds stack pointers and the offset of the map of I/O
//! permissions [APM 24593 §12.2.5], [SDM 3A §7.7]. Its 64-bit fields lie at
//! addresses that are multiples of 4 only, hence the packing.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// The 104 bytes that the task register points at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, packed(4))]
pub struct TaskStateSegment {
    _reserved_0: u32,
    /// Stacks for an entry into privilege level 0, 1 and 2: virtual address of
    /// the first byte above each.
    pub privilege_stacks: [u64; 3],
    _reserved_1: u64,
    /// Stacks that gates can ask for, from
    /// [`InterruptStack::One`](crate::InterruptStack::One) on: virtual address
    /// of the first byte above each.
    pub interrupt_stacks: [u64; 7],
    _reserved_2: u64,
    _reserved_3: u16,
    /// Offset of the map of I/O permissions in the segment, in bytes. At or
    /// beyond the segment's limit there is no map, and user mode has no ports.
    pub io_map_base: u16,
}

const _: () = {
    assert!(size_of::<TaskStateSegment>() == 104);
    assert!(core::mem::offset_of!(TaskStateSegment, privilege_stacks) == 0x04);
    assert!(core::mem::offset_of!(TaskStateSegment, interrupt_stacks) == 0x24);
    assert!(core::mem::offset_of!(TaskStateSegment, io_map_base) == 0x66);
};

impl TaskStateSegment {
    /// A segment without stacks and without a map of I/O permissions.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            _reserved_0: 0,
            privilege_stacks: [0; 3],
            _reserved_1: 0,
            interrupt_stacks: [0; 7],
            _reserved_2: 0,
            _reserved_3: 0,
            io_map_base: size_of::<Self>() as u16,
        }
    }
}

impl Default for TaskStateSegment {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_segment_has_no_io_map() {
        let bytes = TaskStateSegment::new();
        let bytes = bytes.as_bytes();
        assert_eq!(bytes[..0x66], [0; 0x66]);
        assert_eq!(bytes[0x66..], [104, 0]);
    }

    #[test]
    fn stacks_lie_where_the_processor_looks() {
        let mut segment = TaskStateSegment::new();
        segment.privilege_stacks = [0x1111_1111_1111_1111, 0, 0];
        segment.interrupt_stacks = [0, 0, 0, 0, 0, 0, 0x7777_7777_7777_7777];
        let bytes = segment.as_bytes();
        assert_eq!(bytes[0x04..0x0c], [0x11; 8]);
        assert_eq!(bytes[0x54..0x5c], [0x77; 8]);
    }
}
