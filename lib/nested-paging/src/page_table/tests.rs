//! Tables in a map, against a map of pages.

extern crate std;

use std::collections::BTreeMap;
use std::vec::Vec;

use proptest::prelude::*;

use abi_x86::SIZE_2M;

use super::*;

/// Tables by address, and how many more there may be.
struct Memory {
    tables: BTreeMap<u64, [PageTableEntry; TABLE_ENTRIES]>,
    next: u64,
    left: usize,
}

impl Memory {
    fn new(left: usize) -> Self {
        Self { tables: BTreeMap::new(), next: 0x10_0000, left }
    }
}

impl Tables for Memory {
    fn allocate(&mut self) -> Option<u64> {
        self.left = self.left.checked_sub(1)?;
        self.next += SIZE_4K;
        self.tables.insert(self.next, [PageTableEntry::EMPTY; TABLE_ENTRIES]);
        Some(self.next)
    }

    fn release(&mut self, table: u64) {
        let entries = self.tables.remove(&table).unwrap();
        assert!(entries.iter().all(|entry| !entry.is_present()));
        self.left += 1;
    }

    fn read(&self, table: u64, index: usize) -> PageTableEntry {
        self.tables[&table][index]
    }

    fn write(&mut self, table: u64, index: usize, entry: PageTableEntry) {
        self.tables.get_mut(&table).unwrap()[index] = entry;
    }
}

const ALL: Access = Access::all();
const C_BIT: u64 = 1 << 51;

fn small(page: u64) -> Mapping {
    Mapping { page, size: PageSize::Size4K, access: ALL }
}

fn large(page: u64) -> Mapping {
    Mapping { page, size: PageSize::Size2M, access: ALL }
}

fn fresh() -> (Memory, NestedPageTable) {
    let mut memory = Memory::new(100);
    let table = NestedPageTable::new(&mut memory).unwrap();
    (memory, table)
}

#[test]
fn both_views_of_an_address_have_their_own_page() {
    let (mut memory, mut nested) = fresh();
    assert_eq!(nested.map(&mut memory, 0x5000, small(0x8000)), Ok(()));
    assert_eq!(nested.map(&mut memory, C_BIT | 0x5000, small(0x9000)), Ok(()));
    assert_eq!(nested.lookup(&memory, 0x5fff), Some(small(0x8000)));
    assert_eq!(nested.lookup(&memory, C_BIT | 0x5000), Some(small(0x9000)));
    assert_eq!(nested.lookup(&memory, C_BIT | 0x4000), None);
    assert_eq!(nested.lookup(&memory, 1 << 52 | 0x5000), None);
    // Top table, and four more for each view.
    assert_eq!(memory.tables.len(), 9);
}

#[test]
fn entries_are_what_the_processor_expects() {
    let (mut memory, mut nested) = fresh();
    let read_only = Mapping { access: Access::empty(), ..small(0x8000) };
    assert_eq!(nested.map(&mut memory, 0, read_only), Ok(()));
    assert_eq!(nested.map(&mut memory, SIZE_2M, large(0x40_0000)), Ok(()));
    let top = memory.read(nested.root(), 0);
    assert_eq!(top.bits() & 0xfff, 0x27);
    let directory = (0..2).fold(top.address(0), |table, _| memory.read(table, 0).address(0));
    assert_eq!(memory.read(directory, 1).bits(), 0x40_00e7);
    let table = memory.read(directory, 0).address(0);
    assert_eq!(memory.read(table, 0).bits(), 0x8000_0000_0000_8065);
}

#[test]
fn what_is_mapped_stays() {
    let (mut memory, mut nested) = fresh();
    assert_eq!(nested.map(&mut memory, 0x5000, small(0x8000)), Ok(()));
    assert_eq!(nested.map(&mut memory, 0x5000, small(0x9000)), Err(Error::Occupied(0x5000)));
    assert_eq!(nested.map(&mut memory, 0, large(0)), Err(Error::Occupied(0)));
    assert_eq!(nested.map(&mut memory, SIZE_2M, large(0)), Ok(()));
    assert_eq!(nested.map(&mut memory, SIZE_2M, large(0)), Err(Error::Occupied(SIZE_2M)));
    let inside = SIZE_2M + 0x1000;
    assert_eq!(nested.map(&mut memory, inside, small(0)), Err(Error::Occupied(inside)));
    assert_eq!(nested.lookup(&memory, 0x5000), Some(small(0x8000)));
}

#[test]
fn a_large_page_takes_the_place_of_an_empty_table() {
    let (mut memory, mut nested) = fresh();
    assert_eq!(nested.map(&mut memory, 0x5000, small(0x8000)), Ok(()));
    let tables = memory.tables.len();
    assert_eq!(nested.unmap(&mut memory, 0x5000, PageSize::Size4K), Ok(small(0x8000)));
    assert_eq!(nested.map(&mut memory, 0, large(SIZE_2M)), Ok(()));
    assert_eq!(memory.tables.len(), tables - 1);
    assert_eq!(nested.lookup(&memory, 0x5000), Some(large(SIZE_2M)));
}

#[test]
fn a_split_page_leads_to_the_same_memory() {
    let (mut memory, mut nested) = fresh();
    let access = Access::EXECUTE;
    let page = Mapping { access, ..large(3 * SIZE_2M) };
    assert_eq!(nested.map(&mut memory, 0, page), Ok(()));
    assert_eq!(nested.split(&mut memory, 0), Ok(()));
    for offset in (0..SIZE_2M).step_by(4096) {
        let expected = Mapping { access, ..small(3 * SIZE_2M + offset) };
        assert_eq!(nested.lookup(&memory, offset), Some(expected));
    }
    assert_eq!(nested.split(&mut memory, 0), Err(Error::NotMapped(0)));
}

#[test]
fn protection_changes_one_page() {
    let (mut memory, mut nested) = fresh();
    for address in [0x1000, 0x2000] {
        assert_eq!(nested.map(&mut memory, address, small(address)), Ok(()));
    }
    assert_eq!(nested.protect(&mut memory, 0x1000, PageSize::Size4K, Access::WRITE), Ok(()));
    let changed = Mapping { access: Access::WRITE, ..small(0x1000) };
    assert_eq!(nested.lookup(&memory, 0x1000), Some(changed));
    assert_eq!(nested.lookup(&memory, 0x2000), Some(small(0x2000)));
    let missing = nested.protect(&mut memory, 0x3000, PageSize::Size4K, ALL);
    assert_eq!(missing, Err(Error::NotMapped(0x3000)));
    let wrong_size = nested.protect(&mut memory, 0, PageSize::Size2M, ALL);
    assert_eq!(wrong_size, Err(Error::NotMapped(0)));
}

#[test]
fn bad_addresses_are_refused() {
    let (mut memory, mut nested) = fresh();
    for (address, mapping, error) in [
        (1 << 52, small(0), Error::OutOfRange(1 << 52)),
        (u64::MAX, small(0), Error::OutOfRange(u64::MAX)),
        (0x800, small(0), Error::Unaligned(0x800)),
        (0x1000, large(0), Error::Unaligned(0x1000)),
        (0, small(0x801), Error::Unaligned(0x801)),
        (0, large(0x1000), Error::Unaligned(0x1000)),
        (0, small(1 << 52), Error::Unaligned(1 << 52)),
    ] {
        assert_eq!(nested.map(&mut memory, address, mapping), Err(error));
    }
    assert_eq!(memory.tables.len(), 1);
}

#[test]
fn without_memory_nothing_is_mapped() {
    let mut memory = Memory::new(4);
    let mut nested = NestedPageTable::new(&mut memory).unwrap();
    assert_eq!(nested.map(&mut memory, 0x1000, small(0)), Err(Error::OutOfMemory));
    assert_eq!(nested.lookup(&memory, 0x1000), None);
    assert_eq!(nested.map(&mut memory, 0, large(0)), Ok(()));
    assert_eq!(nested.split(&mut memory, 0), Err(Error::OutOfMemory));
    assert_eq!(nested.lookup(&memory, 0), Some(large(0)));
    assert_eq!(NestedPageTable::new(&mut memory).err(), Some(Error::OutOfMemory));
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Map(u64, Mapping),
    Unmap(u64, PageSize),
    Protect(u64, PageSize, Access),
    Split(u64),
}

fn step() -> impl Strategy<Value = Step> {
    // Few places, so that steps meet: pages in the first 4 MiB of both views.
    let address = (0..8_u64, 0..2_u64, any::<bool>()).prop_map(|(page, region, private)| {
        let view = if private { C_BIT } else { 0 };
        view + region * SIZE_2M + page * SIZE_4K
    });
    let size = prop_oneof![Just(PageSize::Size4K), Just(PageSize::Size2M)];
    let access = (0..4_u8).prop_map(Access::from_bits_truncate);
    (address, size, access, 0..4_u8, 0..64_u64).prop_map(|(address, size, access, kind, page)| {
        let address = address - address % size.bytes();
        match kind {
            0 => Step::Map(address, Mapping { page: page * size.bytes(), size, access }),
            1 => Step::Unmap(address, size),
            2 => Step::Protect(address, size, access),
            _ => Step::Split(address - address % SIZE_2M),
        }
    })
}

/// The simplest model: mappings by address.
#[derive(Default)]
struct Model(BTreeMap<u64, Mapping>);

impl Model {
    fn apply(&mut self, step: Step) -> bool {
        match step {
            Step::Map(address, mapping) => {
                let end = address + mapping.size.bytes();
                let meets = |(from, other): (&u64, &Mapping)| {
                    *from < end && address < *from + other.size.bytes()
                };
                let free = !self.0.iter().any(meets);
                if free {
                    self.0.insert(address, mapping);
                }
                free
            }
            Step::Unmap(address, size) => {
                self.page(address, size).is_some() && self.0.remove(&address).is_some()
            }
            Step::Protect(address, size, access) => match self.page(address, size) {
                Some(mapping) => self.0.insert(address, Mapping { access, ..mapping }).is_some(),
                None => false,
            },
            Step::Split(address) => match self.page(address, PageSize::Size2M) {
                Some(mapping) => {
                    self.0.extend((0..512).map(|index| {
                        let offset = index * SIZE_4K;
                        let small = PageSize::Size4K;
                        (
                            address + offset,
                            Mapping { page: mapping.page + offset, size: small, ..mapping },
                        )
                    }));
                    true
                }
                None => false,
            },
        }
    }

    fn page(&self, address: u64, size: PageSize) -> Option<Mapping> {
        self.0.get(&address).copied().filter(|mapping| mapping.size == size)
    }
}

proptest! {
    #[test]
    fn agrees_with_a_map_of_pages(steps in prop::collection::vec(step(), 0..40)) {
        let (mut memory, mut nested) = fresh();
        let mut model = Model::default();
        for step in steps {
            let done = match step {
                Step::Map(address, mapping) => nested.map(&mut memory, address, mapping).is_ok(),
                Step::Unmap(address, size) => nested.unmap(&mut memory, address, size).is_ok(),
                Step::Protect(address, size, access) => {
                    nested.protect(&mut memory, address, size, access).is_ok()
                }
                Step::Split(address) => nested.split(&mut memory, address).is_ok(),
            };
            prop_assert_eq!(done, model.apply(step), "{:?}", step);
        }
        let addresses: Vec<u64> = (0..1024).map(|page| page * SIZE_4K).collect();
        for address in addresses.iter().flat_map(|address| [*address, address | C_BIT]) {
            let expected = model.0.range(..=address).next_back();
            let expected = expected.filter(|(from, page)| address - **from < page.size.bytes());
            prop_assert_eq!(nested.lookup(&memory, address), expected.map(|(_, page)| *page));
        }
    }
}

#[test]
fn clearing_takes_whatever_is_there() {
    let (mut memory, mut nested) = fresh();
    // Nothing, small pages, a large page.
    assert_eq!(nested.clear(&mut memory, 0x5000, PageSize::Size4K), Ok(()));
    for page in [0x5000, 0x6000] {
        assert_eq!(nested.map(&mut memory, page, small(page)), Ok(()));
    }
    assert_eq!(nested.clear(&mut memory, 0x5000, PageSize::Size4K), Ok(()));
    assert_eq!(nested.lookup(&memory, 0x5000), None);
    assert_eq!(nested.lookup(&memory, 0x6000), Some(small(0x6000)));
    assert_eq!(nested.clear(&mut memory, 0, PageSize::Size2M), Ok(()));
    assert_eq!(nested.lookup(&memory, 0x6000), None);
    // The empty table makes room for a large page, which goes as a whole.
    assert_eq!(nested.map(&mut memory, 0, large(0x20_0000)), Ok(()));
    assert_eq!(nested.clear(&mut memory, 0x7000, PageSize::Size4K), Ok(()));
    assert_eq!(nested.lookup(&memory, 0), None);
    // Neighbours stay, and bad addresses are refused.
    assert_eq!(nested.map(&mut memory, 0x20_0000, large(0x40_0000)), Ok(()));
    assert_eq!(nested.clear(&mut memory, 0, PageSize::Size2M), Ok(()));
    assert_eq!(nested.lookup(&memory, 0x20_0000), Some(large(0x40_0000)));
    assert_eq!(nested.clear(&mut memory, 0x1000, PageSize::Size2M), Err(Error::Unaligned(0x1000)));
    assert_eq!(
        nested.clear(&mut memory, 1 << 52, PageSize::Size4K),
        Err(Error::OutOfRange(1 << 52))
    );
}
