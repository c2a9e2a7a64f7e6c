//! Edits against a model that knows every page.

extern crate std;

use std::boxed::Box;
use std::collections::BTreeMap;
use std::vec;

use proptest::prelude::*;

use super::*;
use crate::attributes::Mode;

const C_BIT: u64 = 1 << 51;
const ROOT: u64 = 0x1000;
/// The edits happen here: four pages of 2 MiB on both sides of a multiple of
/// 1 GiB.
const WINDOW: u64 = 0xffff_ffff_c000_0000 - 2 * SIZE_2M;
const WINDOW_PAGES: u64 = 4 * 512;

/// Tables in ordinary memory.
struct Memory {
    tables: BTreeMap<u64, Box<[PageTableEntry; TABLE_ENTRIES]>>,
    room: usize,
}

impl Memory {
    fn new(room: usize) -> Self {
        let mut memory = Self { tables: BTreeMap::new(), room: room + 1 };
        assert_eq!(memory.allocate(), Some(ROOT));
        memory
    }
}

impl Tables for Memory {
    fn allocate(&mut self) -> Option<u64> {
        self.room = self.room.checked_sub(1)?;
        let table = self.tables.last_key_value().map_or(ROOT, |(last, _)| last + SIZE_4K);
        self.tables.insert(table, Box::new([PageTableEntry::EMPTY; TABLE_ENTRIES]));
        Some(table)
    }

    fn release(&mut self, table: u64) {
        assert!(self.tables.remove(&table).is_some());
    }

    fn read(&self, table: u64, index: usize) -> PageTableEntry {
        self.tables[&table][index]
    }

    fn write(&mut self, table: u64, index: usize, entry: PageTableEntry) {
        self.tables.get_mut(&table).unwrap()[index] = entry;
    }
}

const USER_CODE: Attributes =
    Attributes { access: Access::ReadExecute, mode: Mode::User, encryption: Encryption::Private };

#[test]
fn entries_are_the_processors() {
    let mut memory = Memory::new(10);
    let mut tables = PageTables::at(ROOT, C_BIT);
    tables.map(&mut memory, WINDOW..WINDOW + SIZE_2M, 0x60_0000, Attributes::KERNEL_DATA).unwrap();
    tables.map(&mut memory, 0x1000..0x2000, 0x5000, USER_CODE).unwrap();
    let walk = |address: u64| {
        let mut table = ROOT;
        Level::DOWNWARDS.map(|level| {
            let entry = memory.tables.get(&table).map_or(0, |t| t[level.index(address)].bits());
            table = entry & 0x0007_ffff_ffff_f000;
            entry & !table
        })
    };
    let table = 0x0008_0000_0000_0023;
    assert_eq!(walk(WINDOW), [table, table, 0x8008_0000_0000_00e3, 0]);
    let user_table = table | 4;
    assert_eq!(walk(0x1000), [user_table, user_table, user_table, 0x0008_0000_0000_0025]);
    let mapped = tables.lookup(&memory, WINDOW + 0x1234).unwrap();
    assert_eq!((mapped.address, mapped.page_size), (0x60_1234, SIZE_2M));
    assert_eq!(tables.lookup(&memory, 0x2000), None);
}

#[test]
fn shared_pages_have_no_c_bit() {
    let mut memory = Memory::new(10);
    let mut tables = PageTables::at(ROOT, C_BIT);
    let all = WINDOW..WINDOW + SIZE_2M;
    tables.map(&mut memory, all.clone(), 0x60_0000, Attributes::KERNEL_DATA).unwrap();
    let one = WINDOW + 5 * SIZE_4K..WINDOW + 6 * SIZE_4K;
    tables.set_encryption(&mut memory, one.clone(), Encryption::Shared).unwrap();
    for page in all.step_by(SIZE_4K as usize) {
        let mapped = tables.lookup(&memory, page).unwrap();
        assert_eq!(mapped.address, 0x60_0000 + (page - WINDOW));
        let shared = mapped.attributes.encryption == Encryption::Shared;
        assert_eq!(shared, one.contains(&page));
        let leaf = tables.leaf(&memory, page);
        assert_eq!(leaf.entry.bits() & C_BIT == 0, shared);
    }
}

#[test]
fn bad_requests_change_nothing() {
    let mut memory = Memory::new(10);
    let mut tables = PageTables::at(ROOT, C_BIT);
    let data = Attributes::KERNEL_DATA;
    let page = WINDOW..WINDOW + SIZE_4K;
    tables.map(&mut memory, page.clone(), 0x5000, data).unwrap();
    let pages = |first: u64, end: u64| WINDOW + first * SIZE_4K..WINDOW + end * SIZE_4K;
    let two = pages(1, 3);
    let refusals = [
        (1..SIZE_4K, 0, Error::Range(1)),
        (0..1, 0, Error::Range(1)),
        (0..1 << 48, 0, Error::Range(1 << 48)),
        (pages(2, 1), 0, Error::Range(WINDOW + SIZE_4K)),
        (two.clone(), 0x5001, Error::Address(0x5001)),
        (two.clone(), C_BIT, Error::Address(C_BIT)),
        (two.clone(), C_BIT - SIZE_4K, Error::Address(C_BIT)),
        (two, u64::MAX - 0xfff, Error::Address(u64::MAX - 0xfff)),
        (pages(0, 2), 0x8000, Error::Occupied(WINDOW)),
    ];
    for (range, address, error) in refusals {
        assert_eq!(tables.map(&mut memory, range, address, data), Err(error));
        assert_eq!(tables.lookup(&memory, WINDOW + SIZE_4K), None);
    }
    // The clash is noticed at the end only.
    let clash = Error::Occupied(WINDOW);
    assert_eq!(tables.map(&mut memory, WINDOW - SIZE_4K..WINDOW + SIZE_4K, 0, data), Err(clash));
    assert_eq!(tables.lookup(&memory, WINDOW - SIZE_4K), None);
    let missing = Err(Error::NotMapped(WINDOW + SIZE_4K));
    assert_eq!(tables.protect(&mut memory, pages(0, 2), Access::Read), missing);
    assert_eq!(tables.lookup(&memory, WINDOW).unwrap().attributes, data);
}

#[test]
fn want_of_memory_changes_nothing() {
    let mut memory = Memory::new(2);
    let mut tables = PageTables::at(ROOT, C_BIT);
    let large = WINDOW..WINDOW + SIZE_2M;
    let data = Attributes::KERNEL_DATA;
    tables.map(&mut memory, large.clone(), 0x60_0000, data).unwrap();
    let page = WINDOW + SIZE_4K..WINDOW + 2 * SIZE_4K;
    assert_eq!(tables.unmap(&mut memory, page.clone()), Err(Error::OutOfTables));
    let read_only = tables.protect(&mut memory, page, Access::Read);
    assert_eq!(read_only, Err(Error::OutOfTables));
    let over = WINDOW + SIZE_2M..WINDOW + 2 * SIZE_2M + SIZE_4K;
    assert_eq!(tables.map(&mut memory, over.clone(), 0x80_0000, data), Err(Error::OutOfTables));
    assert_eq!(tables.lookup(&memory, over.start), None);
    let mapped = tables.lookup(&memory, WINDOW).unwrap();
    assert_eq!((mapped.page_size, mapped.attributes), (SIZE_2M, data));
}

/// Leads a page of `level` to another place, or nowhere, by its entry.
fn set_page(
    tables: &PageTables,
    memory: &mut Memory,
    address: u64,
    level: Level,
    target: Option<(u64, Attributes)>,
) -> Result<(), Error> {
    let (table, index) = tables.place(memory, address, level)?;
    let entry = match target {
        Some((page, attributes)) => tables.page(level, page, attributes)?,
        None => PageTableEntry::EMPTY,
    };
    memory.write(table, index, entry);
    Ok(())
}

#[test]
fn prepared_pages_come_and_go_without_memory() {
    let mut memory = Memory::new(5);
    let mut tables = PageTables::at(ROOT, C_BIT);
    let data = Attributes::KERNEL_DATA;
    // Half of it is a large page already.
    let large = WINDOW..WINDOW + SIZE_2M;
    tables.map(&mut memory, large, 0x60_0000, data).unwrap();
    let page = WINDOW + SIZE_2M;
    let unprepared = set_page(&tables, &mut memory, page, Level::PageTable, Some((0x5000, data)));
    assert_eq!(unprepared, Err(Error::NotPrepared(page)));
    let range = page - SIZE_4K..page + SIZE_4K;
    tables.prepare(&mut memory, range.clone(), Level::PageTable).unwrap();
    assert_eq!(memory.room, 1);
    tables.prepare(&mut memory, range, Level::PageTable).unwrap();
    assert_eq!(memory.room, 1);
    assert_eq!(tables.lookup(&memory, page - 1).map(|m| m.address), Some(0x7f_ffff));
    assert_eq!(tables.lookup(&memory, page), None);
    let shared = Attributes { encryption: Encryption::Shared, ..data };
    for (address, attributes) in [(0x5000, data), (0x9000, shared)] {
        let target = Some((address, attributes));
        set_page(&tables, &mut memory, page, Level::PageTable, target).unwrap();
        let mapped = tables.lookup(&memory, page + 8).unwrap();
        assert_eq!((mapped.address, mapped.attributes), (address + 8, attributes));
    }
    for address in [1, C_BIT, C_BIT | 0x5000, 1 << 52] {
        let target = Some((address, shared));
        let refused = set_page(&tables, &mut memory, page, Level::PageTable, target);
        assert_eq!(refused, Err(Error::Address(address)));
    }
    set_page(&tables, &mut memory, page, Level::PageTable, None).unwrap();
    assert_eq!(tables.lookup(&memory, page), None);
}

#[test]
fn large_pages_come_and_go_without_memory() {
    let mut memory = Memory::new(5);
    let mut tables = PageTables::at(ROOT, C_BIT);
    let data = Attributes::KERNEL_DATA;
    let target = Some((0x60_0000, data));
    let unprepared = set_page(&tables, &mut memory, WINDOW, Level::PageDirectory, target);
    assert_eq!(unprepared, Err(Error::NotPrepared(WINDOW)));
    let range = WINDOW..WINDOW + 2 * SIZE_2M;
    tables.prepare(&mut memory, range.clone(), Level::PageDirectory).unwrap();
    let room = memory.room;
    tables.prepare(&mut memory, range, Level::PageDirectory).unwrap();
    assert_eq!(memory.room, room);
    for address in [0x60_0000, 0x80_0000] {
        let target = Some((address, data));
        set_page(&tables, &mut memory, WINDOW, Level::PageDirectory, target).unwrap();
        let mapped = tables.lookup(&memory, WINDOW + 8).unwrap();
        assert_eq!((mapped.address, mapped.page_size), (address + 8, SIZE_2M));
    }
    let small = set_page(&tables, &mut memory, WINDOW, Level::PageTable, target);
    assert_eq!(small, Err(Error::NotPrepared(WINDOW)));
    for address in [0x1000, C_BIT] {
        let target = Some((address, data));
        let refused = set_page(&tables, &mut memory, WINDOW, Level::PageDirectory, target);
        assert_eq!(refused, Err(Error::Address(address)));
    }
    set_page(&tables, &mut memory, WINDOW, Level::PageDirectory, None).unwrap();
    assert_eq!(tables.lookup(&memory, WINDOW), None);
    assert_eq!(memory.room, room);
}

#[test]
fn split_changes_no_translation_and_saves_memory_for_later() {
    let mut memory = Memory::new(3);
    let mut tables = PageTables::at(ROOT, C_BIT);
    let large = WINDOW..WINDOW + SIZE_2M;
    tables.map(&mut memory, large.clone(), 0x60_0000, Attributes::KERNEL_DATA).unwrap();
    let page = WINDOW + SIZE_4K..WINDOW + 2 * SIZE_4K;
    tables.split(&mut memory, page.clone()).unwrap();
    assert_eq!(memory.room, 0);
    for address in large.step_by(SIZE_4K as usize) {
        let mapped = tables.lookup(&memory, address).unwrap();
        let expected = (0x60_0000 + (address - WINDOW), SIZE_4K, Attributes::KERNEL_DATA);
        assert_eq!((mapped.address, mapped.page_size, mapped.attributes), expected);
    }
    tables.unmap(&mut memory, page.clone()).unwrap();
    tables.map(&mut memory, page, 0x60_1000, Attributes::KERNEL_DATA).unwrap();
}

#[test]
fn lower_half_is_taken_down_and_the_upper_stays() {
    let mut memory = Memory::new(20);
    let mut tables = PageTables::at(ROOT, C_BIT);
    let data = Attributes::KERNEL_DATA;
    tables.map(&mut memory, WINDOW..WINDOW + SIZE_4K, 0x5000, data).unwrap();
    let upper = memory.tables.len();
    for start in [0x1000, SIZE_2M, 1 << 30, 5 << 39, (1 << 47) - 0x1000] {
        let large = if start == SIZE_2M { SIZE_2M } else { SIZE_4K };
        tables.map(&mut memory, start..start + large, 0x60_0000, USER_CODE).unwrap();
    }
    assert!(memory.tables.len() > upper + 8);
    tables.take_down_lower_half(&mut memory);
    assert_eq!(memory.tables.len(), upper);
    assert_eq!(tables.lookup(&memory, 0x1000), None);
    assert_eq!(tables.lookup(&memory, WINDOW).map(|m| m.address), Some(0x5000));
}

#[derive(Clone, Debug)]
enum Step {
    Map(u64, Attributes),
    Unmap,
    Protect(Access),
    SetEncryption(Encryption),
}

fn step() -> impl Strategy<Value = (Range<u64>, Step)> {
    let access =
        || prop_oneof![Just(Access::Read), Just(Access::ReadWrite), Just(Access::ReadExecute)];
    let encryption = || prop_oneof![Just(Encryption::Private), Just(Encryption::Shared)];
    let attributes = (access(), encryption()).prop_map(|(access, encryption)| Attributes {
        access,
        mode: Mode::Kernel,
        encryption,
    });
    // Half of the ranges are made of whole pages of 2 MiB.
    let large = (0..4_u64, 1..=4_u64).prop_map(|(start, size)| (start * 512, size * 512));
    let range = prop_oneof![large, (0..WINDOW_PAGES, 1..900_u64)];
    let physical = prop_oneof![Just(0), Just(512), 0..5000_u64];
    let step = prop_oneof![
        4 => (physical, attributes).prop_map(|(page, a)| Step::Map(page * SIZE_4K, a)),
        2 => Just(Step::Unmap),
        1 => access().prop_map(Step::Protect),
        1 => encryption().prop_map(Step::SetEncryption),
    ];
    (range, step).prop_map(|((start, size), step)| (start..(start + size).min(WINDOW_PAGES), step))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn behaves_like_the_model(steps in prop::collection::vec(step(), 1..25), room in 4..9_usize) {
        let mut memory = Memory::new(room);
        let mut tables = PageTables::at(ROOT, C_BIT);
        let mut model: std::vec::Vec<Option<(u64, Attributes)>> = vec![None; WINDOW_PAGES as usize];
        for (pages, step) in steps {
            let range = WINDOW + pages.start * SIZE_4K..WINDOW + pages.end * SIZE_4K;
            let places = pages.start as usize..pages.end as usize;
            let mut new = model.clone();
            let places = &mut new[places];
            let hole = places.iter().any(Option::is_none);
            let (result, refused) = match step {
                Step::Map(address, attributes) => {
                    let occupied = places.iter().any(Option::is_some);
                    for (place, page) in places.iter_mut().zip(0..) {
                        *place = Some((address + page * SIZE_4K, attributes));
                    }
                    (tables.map(&mut memory, range, address, attributes), occupied)
                }
                Step::Unmap => {
                    places.fill(None);
                    (tables.unmap(&mut memory, range), false)
                }
                Step::Protect(access) => {
                    places.iter_mut().flatten().for_each(|(_, a)| a.access = access);
                    (tables.protect(&mut memory, range, access), hole)
                }
                Step::SetEncryption(encryption) => {
                    places.iter_mut().flatten().for_each(|(_, a)| a.encryption = encryption);
                    (tables.set_encryption(&mut memory, range, encryption), hole)
                }
            };
            match result {
                Ok(()) => {
                    prop_assert!(!refused);
                    model = new;
                }
                Err(Error::OutOfTables) => prop_assert_eq!(memory.room, 0),
                Err(error) => prop_assert!(refused, "{}", error),
            }
            for (place, address) in model.iter().zip((WINDOW..).step_by(SIZE_4K as usize)) {
                let found = tables.lookup(&memory, address).map(|m| (m.address, m.attributes));
                prop_assert_eq!(found, *place, "{:#x}", address);
            }
        }
    }
}
