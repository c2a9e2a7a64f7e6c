//! Every address is what it has to be, and nothing is told twice.

extern crate std;

use std::vec::Vec;

use proptest::prelude::*;

use super::*;

fn range(base: u64, end: u64, kind: MemoryKind) -> MemoryRange {
    MemoryRange { base, size: end - base, kind }
}

#[test]
fn a_usual_machine() {
    let taken = [
        range(0x800_0000, 0x900_0000, MemoryKind::Reserved),
        range(0xf000, 0x1_3000, MemoryKind::Reserved),
        range(0xe_0000, 0xe_2000, MemoryKind::AcpiTables),
    ];
    let ram = [0..0x2000_0000, 0x1_0000_0000..0x1_4000_0000];
    let map = MemoryMap::new(ram, &taken).unwrap();
    assert_eq!(
        map.ranges(),
        [
            range(0, 0xf000, MemoryKind::Usable),
            taken[1],
            range(0x1_3000, 0xa_0000, MemoryKind::Usable),
            taken[2],
            range(0x10_0000, 0x800_0000, MemoryKind::Usable),
            taken[0],
            range(0x900_0000, 0x2000_0000, MemoryKind::Usable),
            range(0x1_0000_0000, 0x1_4000_0000, MemoryKind::Usable),
        ]
    );
}

#[test]
fn what_cannot_be_told_is_refused() {
    let refusal = |ram: &[Range<u64>], taken: &[MemoryRange]| {
        MemoryMap::new(ram.iter().cloned(), taken).unwrap_err()
    };
    let reserved = |base, end| range(base, end, MemoryKind::Reserved);
    assert_eq!(
        refusal(&[], &[reserved(0x2000, 0x4000), reserved(0x1000, 0x2001)]),
        MemoryMapError::Overlap(0x2000)
    );
    assert_eq!(refusal(&[0..0x2000, 0x1000..0x3000], &[]), MemoryMapError::Overlap(0x1000));
    let wraps = MemoryRange { base: u64::MAX, size: 1, kind: MemoryKind::Reserved };
    assert_eq!(refusal(&[], &[wraps]), MemoryMapError::Wraps(u64::MAX));
    let many: Vec<_> =
        (0..129).map(|index| 0x2000 * index + 0x10_0000..0x2000 * index + 0x10_1000).collect();
    assert_eq!(refusal(&many, &[]), MemoryMapError::TooManyRanges);
    assert_eq!(MemoryMap::new(many[1..].iter().cloned(), &[]).unwrap().ranges().len(), 128);
}

#[test]
fn empty_and_reversed_ranges_do_not_count() {
    #[expect(clippy::reversed_empty_ranges, reason = "this is what is tested")]
    let ram = [0x5000..0x5000, 0x9000..0x8000, 0xa_0000..0x10_0000];
    let taken = [range(7, 7, MemoryKind::Reserved)];
    assert!(MemoryMap::new(ram, &taken).unwrap().ranges().is_empty());
}

proptest! {
    #[test]
    fn every_address_is_told_once_and_right(
        ram in proptest::collection::vec((0_u64..0x180, 1_u64..0x40), 0..5),
        taken in proptest::collection::vec((0_u64..0x180, 1_u64..0x20), 0..5),
    ) {
        let page = |number: u64| number * 4096;
        let kinds = [MemoryKind::Reserved, MemoryKind::AcpiTables];
        let taken: Vec<_> = taken
            .iter()
            .zip(kinds.iter().cycle())
            .map(|((start, pages), kind)| range(page(*start), page(start + pages), *kind))
            .collect();
        let ram: Vec<_> =
            ram.iter().map(|(start, pages)| page(*start)..page(start + pages)).collect();
        let overlap = |ranges: &[Range<u64>]| {
            let mut sorted = ranges.to_vec();
            sorted.sort_by_key(|range| range.start);
            sorted.windows(2).any(|pair| pair[0].end > pair[1].start)
        };
        let holes: Vec<_> =
            taken.iter().map(|range| range.base..range.base + range.size).collect();
        match MemoryMap::new(ram.iter().cloned(), &taken) {
            Err(error) => {
                prop_assert!(matches!(error, MemoryMapError::Overlap(_)));
                prop_assert!(overlap(&holes) || overlap(&ram));
            }
            Ok(map) => {
                prop_assert!(!overlap(&holes));
                for address in (0..page(0x200)).step_by(4096) {
                    let told: Vec<_> = map
                        .ranges()
                        .iter()
                        .filter(|range| (range.base..range.base + range.size).contains(&address))
                        .map(|range| range.kind)
                        .collect();
                    let hole = holes.iter().position(|range| range.contains(&address));
                    let is_ram = ram.iter().any(|range| range.contains(&address));
                    let expected = match hole {
                        Some(index) => Some(taken[index].kind),
                        None if is_ram && !LEGACY_AREA.contains(&address) => Some(MemoryKind::Usable),
                        None => None,
                    };
                    prop_assert_eq!(told, Vec::from_iter(expected), "{:#x}", address);
                }
            }
        }
    }
}
