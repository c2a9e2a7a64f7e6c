//! Where the guest's memory lies.

use alloc::vec::Vec;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// First guest physical address behind low memory. The hypervisor's own image
/// lies here, and the holes for devices follow.
pub const LOW_MEMORY_LIMIT: u64 = 0x7000_0000;

/// Guest physical address of the memory that does not fit below
/// [`LOW_MEMORY_LIMIT`]: 4 GiB.
pub const HIGH_MEMORY_BASE: u64 = 1 << 32;

/// Most memory of a simulated machine's guest, in bytes: 8 GiB.
pub const MAX_MEMORY: u64 = 8 << 30;

/// A range of guest physical memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct MemoryRange {
    /// First address, a multiple of 4096.
    pub gpa: u64,
    /// Bytes, a multiple of 4096, not 0.
    pub size: u64,
}

const _: () = assert!(size_of::<MemoryRange>() == 16);

impl MemoryRange {
    /// First address behind the range; the largest address where it would
    /// wrap, which no range of a launch file does.
    #[must_use]
    pub const fn end(&self) -> u64 {
        self.gpa.saturating_add(self.size)
    }
}

/// Where `size` bytes of guest memory lie: from 0 up to [`LOW_MEMORY_LIMIT`],
/// the rest from [`HIGH_MEMORY_BASE`] on.
///
/// A `size` that is not a multiple of 4096 loses the page that it has only a
/// part of.
#[must_use]
pub fn memory_ranges(size: u64) -> Vec<MemoryRange> {
    let size = size - size % abi_x86::SIZE_4K;
    let low = size.min(LOW_MEMORY_LIMIT);
    let ranges = [(0, low), (HIGH_MEMORY_BASE, size - low)];
    ranges
        .into_iter()
        .filter(|(_, size)| *size != 0)
        .map(|(gpa, size)| MemoryRange { gpa, size })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(size: u64) -> Vec<(u64, u64)> {
        memory_ranges(size).iter().map(|range| (range.gpa, range.end())).collect()
    }

    #[test]
    fn memory_is_split_around_the_hole() {
        assert_eq!(ranges(0), []);
        assert_eq!(ranges(4095), []);
        assert_eq!(ranges(512 << 20), [(0, 512 << 20)]);
        assert_eq!(ranges(LOW_MEMORY_LIMIT), [(0, LOW_MEMORY_LIMIT)]);
        let more = (LOW_MEMORY_LIMIT) + 0x1fff;
        assert_eq!(ranges(more), [(0, LOW_MEMORY_LIMIT), (1 << 32, (1 << 32) + 0x1000)]);
    }
}
