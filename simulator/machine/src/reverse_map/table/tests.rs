//! Which entry describes which page, and which memory cannot have a table.

extern crate std;

use std::vec::Vec;

use super::*;

const SMALL: u64 = PageSize::Size4K.bytes();
const LARGE: u64 = PageSize::Size2M.bytes();

fn range(start: u64, bytes: u64) -> MemoryRange {
    MemoryRange { start: Gpa(start), bytes }
}

/// 4 MiB at 0, 2 MiB and two pages at 1 GiB + 4 KiB, one page at the very end.
fn table() -> Table {
    Table::new(&[
        range((1 << 30) + SMALL, LARGE + SMALL),
        range(0, 2 * LARGE),
        range(u64::MAX - (SMALL - 1), SMALL),
    ])
    .unwrap()
}

fn set_large(table: &mut Table, gpa: Gpa) {
    let indices = table.indices(gpa, PageSize::Size2M).unwrap();
    table.entries_mut(indices)[0] = Entry::assigned(PageSize::Size2M);
}

#[test]
fn memory_outside_the_ranges_is_not_covered() {
    let table = table();
    for gpa in [0, 0x1fff, 2 * LARGE - 1, (1 << 30) + SMALL, u64::MAX] {
        assert!(table.slot(Gpa(gpa)).is_some(), "{gpa:#x}");
    }
    for gpa in [2 * LARGE, 1 << 30, (1 << 30) + LARGE + 2 * SMALL, u64::MAX - SMALL] {
        assert_eq!(table.slot(Gpa(gpa)), None, "{gpa:#x}");
    }
}

#[test]
fn every_page_has_an_entry_of_its_own() {
    let table = table();
    let mut indices: Vec<_> = (0..1024)
        .map(|page| page * SMALL)
        .chain((0..513).map(|page| (1 << 30) + (page + 1) * SMALL))
        .chain([u64::MAX])
        .map(|gpa| table.slot(Gpa(gpa)).unwrap().index)
        .collect();
    assert!(indices.is_sorted());
    indices.dedup();
    assert_eq!(indices.len(), 1024 + 513 + 1);
    assert_eq!(table.entries.len(), indices.len());
}

#[test]
fn parts_of_a_large_page_lead_to_its_head() {
    let mut table = table();
    set_large(&mut table, Gpa(LARGE));
    let head = table.slot(Gpa(LARGE)).unwrap();
    for gpa in [LARGE + SMALL, LARGE + 0x12_3456, 2 * LARGE - 1] {
        assert_eq!(table.slot(Gpa(gpa)), Some(head));
    }
    assert_eq!(table.slot(Gpa(LARGE - SMALL)).unwrap().entry, Entry::HYPERVISOR);
}

#[test]
fn large_pages_are_aligned_and_inside_one_range() {
    let table = table();
    assert_eq!(table.indices(Gpa(LARGE), PageSize::Size2M), Some(512..1024));
    assert_eq!(table.indices(Gpa(SMALL), PageSize::Size2M), None);
    assert_eq!(table.indices(Gpa(2 * LARGE), PageSize::Size2M), None);
    assert_eq!(table.indices(Gpa(1 << 30), PageSize::Size2M), None);
    assert_eq!(table.indices(Gpa((1 << 30) + LARGE), PageSize::Size2M), None);
    assert_eq!(table.indices(Gpa((1 << 30) + LARGE), PageSize::Size4K), Some(1535..1536));
    assert_eq!(table.indices(Gpa(SMALL + 1), PageSize::Size4K), None);
}

#[test]
fn a_range_that_starts_inside_2_mib_has_no_head_there() {
    let mut table = Table::new(&[range(LARGE - SMALL, 2 * LARGE)]).unwrap();
    assert_eq!(table.slot(Gpa(LARGE - SMALL)).unwrap().index, 0);
    set_large(&mut table, Gpa(LARGE));
    assert_eq!(table.slot(Gpa(LARGE - SMALL)).unwrap().entry, Entry::HYPERVISOR);
    assert_eq!(table.slot(Gpa(2 * LARGE - SMALL)).unwrap().index, 1);
    assert_eq!(table.slot(Gpa(2 * LARGE)).unwrap().entry, Entry::HYPERVISOR);
}

#[test]
fn pages_are_listed_once() {
    let mut table = table();
    set_large(&mut table, Gpa(0));
    let pages: Vec<_> = table.pages().collect();
    assert_eq!(pages.len(), 1 + 512 + 513 + 1);
    assert_eq!(pages[0], (Gpa(0), Entry::assigned(PageSize::Size2M)));
    assert_eq!(pages[1], (Gpa(LARGE), Entry::HYPERVISOR));
    assert_eq!(pages.last().unwrap().0, Gpa(u64::MAX - (SMALL - 1)));
}

#[test]
fn bad_ranges_are_refused() {
    for (start, bytes) in [(1, SMALL), (0, 1), (0, SMALL + 1), (0x800, 0x800), (SMALL, 0)] {
        assert_eq!(
            Table::new(&[range(start, bytes)]).unwrap_err(),
            LayoutError::NotWholePages { start: Gpa(start), bytes }
        );
    }
    let top = u64::MAX - (SMALL - 1);
    assert_eq!(
        Table::new(&[range(top, 2 * SMALL)]).unwrap_err(),
        LayoutError::TooHigh { start: Gpa(top), bytes: 2 * SMALL }
    );
    let overlapping = [range(LARGE, SMALL), range(0, LARGE + SMALL)];
    assert_eq!(Table::new(&overlapping).unwrap_err(), LayoutError::Overlap(Gpa(LARGE)));
    let same = [range(LARGE, SMALL), range(LARGE, SMALL)];
    assert_eq!(Table::new(&same).unwrap_err(), LayoutError::Overlap(Gpa(LARGE)));
}

#[test]
fn memory_that_cannot_be_had_is_an_error() {
    // A table for the whole address space would need 2^54 bytes.
    let all = range(0, u64::MAX - (SMALL - 1));
    assert_eq!(Table::new(&[all]).unwrap_err(), LayoutError::OutOfMemory((1 << 52) - 1));
}

#[test]
fn no_memory_is_a_table_too() {
    let table = Table::new(&[]).unwrap();
    assert_eq!(table.slot(Gpa(0)), None);
    assert_eq!(table.pages().count(), 0);
}
