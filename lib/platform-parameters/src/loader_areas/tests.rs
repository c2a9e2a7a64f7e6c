//! One area counts, and areas that contradict each other are refused.

extern crate std;

use std::vec::Vec;

use super::*;
use crate::device_tree::tests::sample as tree;
use crate::memory_map::MemoryKind;
use crate::model_memory::table;

const LIMIT: u64 = 1 << 40;
const ZEROS: [u8; 4096] = [0; 4096];

/// Areas of an image that has all of them, which the loader leaves empty.
const EMPTY: LoaderAreas<'static> =
    LoaderAreas { memory_map: &ZEROS, processor_count: &ZEROS, madt: &ZEROS, device_tree: &ZEROS };

/// A table with processors of these identifiers.
fn madt(ids: &[u8]) -> Vec<u8> {
    let structures = ids.iter().flat_map(|id| [0, 8, *id, *id, 1, 0, 0, 0]);
    let mut area = table(b"APIC", &[0; 8].into_iter().chain(structures).collect::<Vec<_>>());
    area.resize(4096, 0);
    area
}

/// Page 0 on, so many pages of memory, and the end of the list.
fn map(pages: u8) -> Vec<u8> {
    let mut area = std::vec![0; 4096];
    area[8] = pages;
    area
}

fn processors(areas: &LoaderAreas<'_>) -> Result<Option<Vec<u32>>, Refusal> {
    let mut storage = [Processor::NONE; 4];
    let listed = areas.processors(&mut storage)?;
    Ok(listed.map(|listed| listed.enabled().collect()))
}

fn memory(areas: &LoaderAreas<'_>) -> Result<u64, Refusal> {
    let mut storage = [MemoryRange::EMPTY; 4];
    Ok(areas.memory(&mut storage, LIMIT)?.size_of(MemoryKind::Memory))
}

#[test]
fn a_loader_may_leave_all_empty_but_the_memory_map() {
    for areas in [EMPTY, LoaderAreas::default()] {
        assert_eq!(processors(&areas), Ok(None));
        assert_eq!(memory(&areas), Err(Rule::Empty.of(Area::MemoryMap)));
    }
}

#[test]
fn the_tree_stands_in_for_what_is_left_empty() {
    let tree = tree();
    let only_tree = LoaderAreas { device_tree: &tree, ..EMPTY };
    assert_eq!(processors(&only_tree), Ok(Some(std::vec![0, 5])));
    assert_eq!(memory(&only_tree), Ok(0x8_1000));
    let (madt, map) = (madt(&[3]), map(2));
    let all = LoaderAreas { madt: &madt, memory_map: &map, ..only_tree };
    assert_eq!(processors(&all), Ok(Some(std::vec![3])));
    assert_eq!(memory(&all), Ok(0x2000));
}

#[test]
fn the_number_of_processors_is_compared() {
    let (madt, tree) = (madt(&[0, 1, 2]), tree());
    let differ = |listed| Rule::ProcessorsDiffer { listed, stated: 4 };
    let four = [4, 0, 0, 0];
    let areas = LoaderAreas { madt: &madt, processor_count: &four, ..EMPTY };
    assert_eq!(processors(&areas), Err(differ(3).of(Area::Madt)));
    let areas = LoaderAreas { device_tree: &tree, processor_count: &four, ..EMPTY };
    assert_eq!(processors(&areas), Err(differ(2).of(Area::DeviceTree)));
    let areas = LoaderAreas { madt: &madt, processor_count: &[3, 0, 0, 0], ..EMPTY };
    assert_eq!(processors(&areas), Ok(Some(std::vec![0, 1, 2])));
    // There is nothing to compare a number with.
    assert_eq!(processors(&LoaderAreas { processor_count: &four, ..EMPTY }), Ok(None));
    let cut = LoaderAreas { madt: &madt, processor_count: &[3], ..EMPTY };
    assert_eq!(processors(&cut), Err(Rule::Truncated(1).of(Area::ProcessorCount)));
}

#[test]
fn what_is_not_empty_is_not_passed_over() {
    let tree = tree();
    let broken = LoaderAreas { madt: b"APIC", memory_map: &[1; 30], device_tree: &tree, ..EMPTY };
    assert_eq!(processors(&broken), Err(Rule::Truncated(4).of(Area::Madt)));
    assert_eq!(memory(&broken).unwrap_err().area, Area::MemoryMap);
    let broken = LoaderAreas { device_tree: &[7; 64], ..EMPTY };
    assert_eq!(processors(&broken), Err(Rule::Signature([7; 4]).of(Area::DeviceTree)));
    assert_eq!(memory(&broken), Err(Rule::Signature([7; 4]).of(Area::DeviceTree)));
}
