//! The memory map in Linux's `struct boot_params`.

use crate::memory_range::MemoryRange;

/// Most ranges that fit.
pub const MOST_RANGES: usize = 128;

/// `e820_entries`: how many ranges there are.
const COUNT: usize = 0x1e8;
/// `e820_table`: the ranges.
const TABLE: usize = 0x2d0;
/// Bytes of a range: base, size, kind.
const ENTRY: usize = 20;

/// More ranges than fit (count given).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} ranges of memory are too many for Linux: it takes at most {MOST_RANGES}")]
pub struct TooManyRanges(pub usize);

/// Writes the memory map into `struct boot_params`, in place of what stands
/// there.
///
/// # Errors
///
/// More than [`MOST_RANGES`]; nothing is written then.
pub fn write_memory_map(
    boot_parameters: &mut [u8; 4096],
    ranges: &[MemoryRange],
) -> Result<(), TooManyRanges> {
    let count = u8::try_from(ranges.len()).ok().filter(|count| usize::from(*count) <= MOST_RANGES);
    let count = count.ok_or(TooManyRanges(ranges.len()))?;
    boot_parameters[COUNT] = count;
    let table = &mut boot_parameters[TABLE..TABLE + MOST_RANGES * ENTRY];
    table.fill(0);
    for (entry, range) in table.chunks_exact_mut(ENTRY).zip(ranges) {
        entry[..8].copy_from_slice(&range.base.to_le_bytes());
        entry[8..16].copy_from_slice(&range.size.to_le_bytes());
        entry[16..].copy_from_slice(&(range.kind as u32).to_le_bytes());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory_range::MemoryKind;

    const RANGE: MemoryRange =
        MemoryRange { base: 0x0102_0304_0506, size: 0x1000, kind: MemoryKind::AcpiTables };

    #[test]
    fn ranges_stand_where_linux_looks() {
        let mut page = [0xff; 4096];
        let second = MemoryRange { base: 1, size: 2, kind: MemoryKind::Reserved };
        assert_eq!(write_memory_map(&mut page, &[RANGE, second]), Ok(()));
        assert_eq!(page[0x1e8], 2);
        assert_eq!(page[0x2d0..0x2d8], [6, 5, 4, 3, 2, 1, 0, 0]);
        assert_eq!(page[0x2d8..0x2e4], [0, 0x10, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0]);
        assert_eq!(
            page[0x2e4..0x2f8],
            [1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0]
        );
        // Old ranges are gone, and what is beside them stays.
        assert_eq!(page[0x2f8..0xcd0], [0; 0x9d8]);
        assert_eq!([page[0x1e7], page[0x1e9], page[0x2cf], page[0xcd0]], [0xff; 4]);
    }

    #[test]
    fn too_many_ranges_are_refused() {
        let mut page = [0x5a; 4096];
        assert_eq!(write_memory_map(&mut page, &[RANGE; 129]), Err(TooManyRanges(129)));
        assert_eq!(write_memory_map(&mut page, &[RANGE; 300]), Err(TooManyRanges(300)));
        assert_eq!(page, [0x5a; 4096]);
        assert_eq!(write_memory_map(&mut page, &[RANGE; 128]), Ok(()));
        assert_eq!((page[0x1e8], page[0xccc], page[0xcd0]), (128, 3, 0x5a));
    }
}
