//! Start information is read, and maps that cannot be are refused.

extern crate std;

use std::vec::Vec;

use proptest::prelude::*;
use zerocopy::IntoBytes;

use super::*;
use crate::model_memory::ModelMemory;

const INFORMATION: u64 = 0x8_0010;
const LIST: u64 = 0x9_0000;
const LIMIT: u64 = 1 << 40;

/// Start information that tells of `count` ranges.
fn information(count: u32) -> Vec<u8> {
    let words = [0x336e_c578, 1, 0, 0];
    let mut bytes: Vec<u8> = words.iter().flat_map(|word: &u32| word.to_le_bytes()).collect();
    for address in [0, 0, 0xf_5ab0, LIST] {
        bytes.extend(address.to_le_bytes());
    }
    bytes.extend(count.to_le_bytes());
    bytes.extend([0; 4]);
    bytes
}

/// Memory with these ranges: address, bytes, kind.
fn memory(ranges: &[(u64, u64, u32)]) -> ModelMemory {
    let mut memory = ModelMemory::default();
    memory.put(INFORMATION, &information(ranges.len() as u32));
    for (index, (address, size, kind)) in (0..).zip(ranges) {
        let range = PvhRange::new(*address, *size, PvhKind(*kind));
        memory.put(LIST + index * 24, range.as_bytes());
    }
    memory
}

fn ranges(memory: &ModelMemory) -> Result<Vec<(u64, u64)>, Refusal> {
    let information = start_information(memory, INFORMATION)?;
    let mut storage = [MemoryRange::EMPTY; 8];
    let map = start_memory_map(memory, &information, &mut storage, LIMIT)?;
    Ok(map.ranges().iter().map(|range| (range.start, range.size)).collect())
}

fn rule(found: &[(u64, u64, u32)]) -> Rule {
    ranges(&memory(found)).unwrap_err().rule
}

#[test]
fn the_whole_pages_of_memory_are_memory() {
    let memory = memory(&[
        (0x10_0000, 0x1fee_0000, 1),
        (0, 0x9_fc00, 1),
        (0x9_fc00, 0x400, 2),
        (0xf_0000, 0x1_0000, 2),
        (0xfd_0000_0000, 0x3_0000_0000, 2),
        (u64::MAX, 1, 2),
        (0x3000_0001, 0xffe, 1),
        (0x4000_0001, 0x1ffe, 1),
    ]);
    assert_eq!(start_information(&memory, INFORMATION).unwrap().rsdp, 0xf_5ab0);
    let expected = std::vec![(0, 0x9_f000), (0x10_0000, 0x1fee_0000)];
    assert_eq!(ranges(&memory), Ok(expected));
}

#[test]
fn maps_that_cannot_be_are_refused() {
    assert_eq!(rule(&[(0, 0x2000, 1), (0x1fff, 0x10, 2)]), Rule::Overlap(0x1fff));
    assert_eq!(rule(&[(0, 0x2000, 2)]), Rule::NoMemory);
    let beyond = Rule::AddressRange { first_page: LIMIT >> 12, pages: 1, limit: LIMIT };
    assert_eq!(rule(&[(LIMIT, 0x1000, 1)]), beyond);
    let pages = (u64::MAX >> 12) - 1;
    let wraps = Rule::AddressRange { first_page: 1, pages, limit: LIMIT };
    assert_eq!(rule(&[(0x1000, u64::MAX, 1)]), wraps);
    assert_eq!(rule(&[(0, 0x1000, 1); 9]), Rule::TooManyEntries(8));
}

#[test]
fn start_information_that_is_none_is_refused() {
    let refused = |memory: &ModelMemory| start_information(memory, INFORMATION).unwrap_err();
    let nothing = refused(&ModelMemory::default());
    assert_eq!(
        (nothing.area, nothing.rule),
        (Area::StartInformation, Rule::Unreadable(INFORMATION))
    );
    let zeros = refused(&ModelMemory((INFORMATION..INFORMATION + 56).map(|at| (at, 0)).collect()));
    assert_eq!(zeros.rule, Rule::StartInformation(abi_pvh::Error::Magic(0)));
    // The list is not where it should be.
    let mut memory = ModelMemory::default();
    memory.put(INFORMATION, &information(1));
    assert_eq!(ranges(&memory).unwrap_err().rule, Rule::Unreadable(LIST));
    let end = u64::MAX - 20;
    memory.put(INFORMATION + 40, &end.to_le_bytes());
    memory.put(INFORMATION + 48, &2_u32.to_le_bytes());
    assert_eq!(ranges(&memory).unwrap_err().rule, Rule::Unreadable(end));
}

proptest! {
    /// What is accepted is memory that was listed as such, in order.
    #[test]
    fn whatever_is_accepted_was_listed(list in prop::collection::vec(
        (0..0x1_0000_u64, 0..0x8000_u64, 1..3_u32), 1..6,
    )) {
        if let Ok(found) = ranges(&memory(&list)) {
            prop_assert!(found.array_windows().all(|[one, next]| one.0 + one.1 < next.0));
            for (start, size) in found {
                for page in (start..start + size).step_by(0x1000) {
                    let has_page = |(address, size, kind): &(u64, u64, u32)| {
                        *kind == 1 && *address <= page && page + 0x1000 <= address + size
                    };
                    prop_assert!(list.iter().any(has_page));
                }
            }
        }
    }
}
