//! The memory map that an IGVM loader writes.
//!
//! Entries of 24 bytes, of which the first without pages ends the list
//! (`IGVM_VHS_MEMORY_MAP_ENTRY`).

use igvm_defs::{IGVM_VHS_MEMORY_MAP_ENTRY, MemoryMapEntryType};
use zerocopy::FromBytes;

use crate::memory_map::{MemoryKind, MemoryMap, MemoryMapBuilder, MemoryRange};
use crate::refusal::{Area, Refusal, Rule};

impl MemoryKind {
    /// The kind that loaders number so, in the memory map and in a device tree.
    pub(crate) const fn of_igvm(kind: MemoryMapEntryType) -> Self {
        match kind {
            // What can be protected from less trusted levels is memory for the
            // most trusted one.
            MemoryMapEntryType::MEMORY | MemoryMapEntryType::VTL2_PROTECTABLE => Self::Memory,
            MemoryMapEntryType::PERSISTENT => Self::Persistent,
            MemoryMapEntryType::SPECIFIC_PURPOSE => Self::SpecificPurpose,
            MemoryMapEntryType::HIDDEN => Self::Hidden,
            _ => Self::Reserved,
        }
    }
}

/// Reads the memory map in `area`. `storage` takes the ranges and bounds their
/// number; `limit` is the first address that is too high, below the C-bit.
///
/// # Errors
///
/// The first rule that does not hold.
pub fn igvm_memory_map<'a>(
    area: &[u8],
    storage: &'a mut [MemoryRange],
    limit: u64,
) -> Result<MemoryMap<'a>, Refusal> {
    read(area, storage, limit).map_err(|rule| rule.of(Area::MemoryMap))
}

fn read<'a>(
    area: &[u8],
    storage: &'a mut [MemoryRange],
    limit: u64,
) -> Result<MemoryMap<'a>, Rule> {
    let mut builder = MemoryMapBuilder::new(storage, limit);
    let mut rest = area;
    loop {
        let (entry, behind) = IGVM_VHS_MEMORY_MAP_ENTRY::read_from_prefix(rest)
            .map_err(|_| Rule::Truncated(area.len()))?;
        if entry.number_of_pages == 0 {
            break;
        }
        let kind = MemoryKind::of_igvm(entry.entry_type);
        builder.add(entry.starting_gpa_page_number, entry.number_of_pages, kind)?;
        rest = behind;
    }
    match rest.len() == area.len() {
        true => Err(Rule::Empty),
        false => builder.finish(),
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use proptest::prelude::*;
    use zerocopy::IntoBytes;

    use super::*;

    const LIMIT: u64 = 1 << 51;

    /// An area with these entries: first page, pages, kind.
    fn area(entries: &[(u64, u64, u16)]) -> Vec<u8> {
        let entry = |&(first, pages, kind): &(u64, u64, u16)| IGVM_VHS_MEMORY_MAP_ENTRY {
            starting_gpa_page_number: first,
            number_of_pages: pages,
            entry_type: MemoryMapEntryType(kind),
            flags: 0,
            reserved: 0,
        };
        entries.iter().flat_map(|e| entry(e).as_bytes().to_vec()).collect()
    }

    #[test]
    fn a_map_of_several_pages_is_read() {
        let mut entries: Vec<_> = (0..400).rev().map(|i| (i * 2, 1, (i % 7) as u16)).collect();
        entries.extend([(0, 0, 0), (9, 9, 9)]);
        let area = area(&entries);
        assert!(area.len() > 2 * 4096);
        let mut storage = [MemoryRange::EMPTY; 400];
        let map = igvm_memory_map(&area, &mut storage, LIMIT).unwrap();
        let kinds = [
            MemoryKind::Memory,
            MemoryKind::Reserved,
            MemoryKind::Persistent,
            MemoryKind::Memory,
            MemoryKind::SpecificPurpose,
            MemoryKind::Hidden,
            MemoryKind::Reserved,
        ];
        assert_eq!(map.ranges().len(), 400);
        for (index, range) in map.ranges().iter().enumerate() {
            assert_eq!((range.start, range.size), (index as u64 * 0x2000, 0x1000));
            assert_eq!(range.kind, kinds[index % 7]);
        }
        let mut storage = [MemoryRange::EMPTY; 399];
        let refusal = igvm_memory_map(&area, &mut storage, LIMIT).unwrap_err();
        assert_eq!(refusal.rule, Rule::TooManyEntries(399));
    }

    #[test]
    fn areas_that_do_not_end_are_refused() {
        let mut storage = [MemoryRange::EMPTY; 4];
        let mut refusal = |area: &[u8]| igvm_memory_map(area, &mut storage, LIMIT).unwrap_err();
        assert_eq!(refusal(&[]).rule, Rule::Truncated(0));
        assert_eq!(refusal(&area(&[(0, 1, 0)])).rule, Rule::Truncated(24));
        assert_eq!(refusal(&area(&[(0, 1, 0), (1, 0, 0)])[..47]).rule, Rule::Truncated(47));
        assert_eq!(refusal(&[0; 4096]).rule, Rule::Empty);
        let limit = LIMIT >> 12;
        let text = std::format!("{}", refusal(&area(&[(limit, 1, 0), (0, 0, 0)])));
        assert_eq!(
            text,
            "the host's memory map has a range from page 0x8000000000 with 0x1 pages, \
             beyond 0x8000000000000"
        );
    }

    proptest! {
        #[test]
        fn whatever_is_accepted_is_in_order(
            bytes in prop::collection::vec(prop_oneof![Just(0_u8), any::<u8>()], 0..400),
        ) {
            let mut storage = [MemoryRange::EMPTY; 16];
            if let Ok(map) = igvm_memory_map(&bytes, &mut storage, LIMIT) {
                prop_assert!(map.end() <= LIMIT);
                prop_assert!(map.ranges().array_windows().all(|[one, next]| one.end() <= next.start));
            }
        }
    }
}
