//! The MADT is found, and nothing that lies on the way to it is believed.

extern crate std;

use std::format;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::model_memory::{ModelMemory, seal, table};
use crate::processors::Processor;

const POINTER: u64 = 0xf_5ab0;
const ROOT: u64 = 0x1ffe_0123;
const MADT: u64 = 0x1ffe_2000;
const OTHER: u64 = 0x1ffe_3000;

fn old_pointer(root: u32) -> Vec<u8> {
    let mut pointer = POINTER_SIGNATURE.to_vec();
    pointer.extend([0; 8]);
    pointer.extend(root.to_le_bytes());
    seal(&mut pointer, 8);
    pointer
}

fn new_pointer(root: u64) -> Vec<u8> {
    let mut pointer = old_pointer(0);
    pointer[15] = 2;
    seal(&mut pointer, 8);
    pointer.extend(36_u32.to_le_bytes());
    pointer.extend(root.to_le_bytes());
    pointer.extend([0; 4]);
    seal(&mut pointer, 32);
    pointer
}

fn madt() -> Vec<u8> {
    // Address and flags of the controllers, then processors 0 and 1.
    let content = [[0; 8], [0, 8, 0, 0, 1, 0, 0, 0], [0, 8, 1, 1, 1, 0, 0, 0]].concat();
    table(b"APIC", &content)
}

/// Memory with a root pointer and a root table that lists these addresses.
fn memory(pointer: &[u8], root: &[u8]) -> ModelMemory {
    let mut memory = ModelMemory::default();
    memory.put(POINTER, pointer);
    memory.put(ROOT, root);
    memory.put(MADT, &madt());
    memory.put(OTHER, &table(b"FACP", &[1; 100]));
    memory
}

fn new_root() -> Vec<u8> {
    table(b"XSDT", &[OTHER.to_le_bytes(), 7_u64.to_le_bytes(), MADT.to_le_bytes()].concat())
}

fn find(memory: &ModelMemory) -> Result<Vec<u8>, Refusal> {
    find_madt(memory, POINTER, &mut [0; 256]).map(<[u8]>::to_vec)
}

fn refusal(memory: &ModelMemory) -> (Area, Rule) {
    let Refusal { area, rule } = find(memory).unwrap_err();
    (area, rule)
}

#[test]
fn the_table_is_found_by_both_kinds_of_pointers() {
    let found = find(&memory(&new_pointer(ROOT), &new_root()));
    assert_eq!(found, Ok(madt()));
    let entries = [OTHER, MADT].map(|address| (address as u32).to_le_bytes()).concat();
    let found = find(&memory(&old_pointer(ROOT as u32), &table(b"RSDT", &entries))).unwrap();
    let mut storage = [Processor::NONE; 4];
    let processors = crate::madt_processors(&found, &mut storage).unwrap();
    assert!(processors.enabled().eq([0, 1]));
}

#[test]
fn wrong_root_pointers_are_refused() {
    let none = find_madt(&ModelMemory::default(), 0, &mut []).unwrap_err();
    assert_eq!(format!("{none}"), "the host's ACPI root pointer is empty");
    let pointer = |rule| (Area::RootPointer, rule);
    assert_eq!(refusal(&ModelMemory::default()), pointer(Rule::Unreadable(POINTER)));
    let nothing = memory(&[0; 36], &new_root());
    assert_eq!(refusal(&nothing), pointer(Rule::Signature([0; 4])));
    // A wrong sum of the first part, of the whole, and a whole that is cut off.
    for place in [17, 30] {
        let mut wrong = new_pointer(ROOT);
        wrong[place] ^= 1;
        assert_eq!(refusal(&memory(&wrong, &new_root())), pointer(Rule::Checksum));
    }
    let cut = memory(&new_pointer(ROOT)[..35], &new_root());
    assert_eq!(refusal(&cut), pointer(Rule::Unreadable(POINTER)));
    let last = find_madt(&memory(&[], &[]), u64::MAX, &mut []).unwrap_err();
    assert_eq!(last.rule, Rule::Unreadable(u64::MAX));
}

#[test]
fn wrong_root_tables_are_refused() {
    let root = |bytes: &[u8]| match refusal(&memory(&new_pointer(ROOT), bytes)) {
        (Area::RootTable, rule) => rule,
        other => panic!("{other:?}"),
    };
    assert_eq!(root(&[]), Rule::Unreadable(ROOT));
    assert_eq!(root(&new_root()[..59]), Rule::Unreadable(ROOT));
    assert_eq!(root(&table(b"RSDT", &[0; 8])), Rule::Signature(*b"RSDT"));
    assert_eq!(root(&table(b"XSDT", &[0; 9])), Rule::Structure(36));
    assert_eq!(root(&table(b"XSDT", &[0; 221])), Rule::TooLong { length: 257, most: 256 });
    let mut wrong = new_root();
    wrong[12] ^= 1;
    assert_eq!(root(&wrong), Rule::Checksum);
    let mut short = new_root();
    short[4] = 35;
    assert_eq!(root(&short), Rule::Structure(0));
    short[4] = 3;
    assert_eq!(root(&short), Rule::Structure(0));
}

#[test]
fn a_table_that_is_not_there_is_refused() {
    let root = table(b"XSDT", &[OTHER.to_le_bytes(), [0xff; 8], [0; 8]].concat());
    let without = memory(&new_pointer(ROOT), &root);
    assert_eq!(refusal(&without), (Area::Madt, Rule::NotListed));
    let mut long = memory(&new_pointer(ROOT), &new_root());
    long.put(MADT + 4, &u32::MAX.to_le_bytes());
    let rule = Rule::TooLong { length: u32::MAX.into(), most: 256 };
    assert_eq!(refusal(&long), (Area::Madt, rule));
    // It says that it goes on where nothing is.
    long.put(MADT + 4, &200_u32.to_le_bytes());
    assert_eq!(refusal(&long), (Area::Madt, Rule::Unreadable(MADT)));
}

proptest! {
    /// Whatever lies there, the search ends without a panic.
    #[test]
    fn no_tables_make_it_panic(
        pointer in prop::collection::vec(any::<u8>(), 36),
        root in prop::collection::vec(any::<u8>(), 0..80),
        is_new in any::<bool>(),
    ) {
        let mut pointer = pointer;
        pointer[..8].copy_from_slice(&POINTER_SIGNATURE);
        pointer[15] = if is_new { 2 } else { 0 };
        pointer[16..20].copy_from_slice(&(ROOT as u32).to_le_bytes());
        pointer[24..32].copy_from_slice(&ROOT.to_le_bytes());
        seal(&mut pointer[..20], 8);
        seal(&mut pointer, 32);
        let signature = if is_new { b"XSDT" } else { b"RSDT" };
        let _ = find(&memory(&pointer, &table(signature, &root)));
    }
}
