//! What is mapped is found by a walk, and nothing else.

use proptest::prelude::*;

use super::walk::{Translation, translate};
use super::*;

const ROOT: u64 = 0x80_0000;
const C_BIT: u64 = 1 << 51;
const RW: Access = Access::READ.union(Access::WRITE);

fn mapping(virtual_address: u64, gpa: u64, size: u64) -> Mapping {
    Mapping { virtual_address, gpa, size, access: RW, leaves: Leaves::LargeWhereAligned }
}

#[test]
fn nothing_is_mapped_at_first() {
    let tables = PageTables::new(C_BIT);
    assert_eq!(tables.page_count(), 1);
    assert_eq!(tables.to_bytes(ROOT).unwrap(), vec![0; 4096]);
}

#[test]
fn permissions_are_the_leafs() {
    for (access, writable, executable) in [
        (Access::READ, false, false),
        (RW, true, false),
        (Access::READ | Access::EXECUTE, false, true),
        (Access::all(), true, true),
    ] {
        let mut tables = PageTables::new(C_BIT);
        tables.map(&Mapping { access, ..mapping(0x1000, 0x5000, 0x1000) }).unwrap();
        let bytes = tables.to_bytes(ROOT).unwrap();
        let expected = Translation { gpa: 0x5123, writable, executable, leaf_size: 0x1000 };
        assert_eq!(translate(&bytes, ROOT, C_BIT, 0x1123), Some(expected));
        assert_eq!(translate(&bytes, ROOT, C_BIT, 0x2000), None);
        assert_eq!(translate(&bytes, ROOT, C_BIT, 0xfff), None);
    }
}

#[test]
fn large_leaves_where_both_addresses_allow_it() {
    let start = 0xffff_ffff_8000_0000;
    let leaf_size = |gpa: u64, leaves, offset: u64| {
        let mut tables = PageTables::new(0);
        tables.map(&Mapping { leaves, ..mapping(start, gpa, 3 * SIZE_2M - SIZE_4K) }).unwrap();
        let bytes = tables.to_bytes(ROOT).unwrap();
        let found = translate(&bytes, ROOT, 0, start + offset).unwrap();
        assert_eq!(found.gpa, gpa + offset);
        found.leaf_size
    };
    assert_eq!(leaf_size(SIZE_2M, Leaves::LargeWhereAligned, SIZE_2M + 5), SIZE_2M);
    assert_eq!(leaf_size(SIZE_2M, Leaves::LargeWhereAligned, 2 * SIZE_2M), SIZE_4K);
    assert_eq!(leaf_size(SIZE_2M, Leaves::Small, SIZE_2M), SIZE_4K);
    assert_eq!(leaf_size(SIZE_4K, Leaves::LargeWhereAligned, SIZE_2M), SIZE_4K);
}

#[test]
fn last_page_of_the_address_space_can_be_mapped() {
    let mut tables = PageTables::new(0);
    let last = 0xffff_ffff_ffff_f000;
    tables.map(&mapping(last, 0x1000, 0x1000)).unwrap();
    let bytes = tables.to_bytes(ROOT).unwrap();
    assert_eq!(translate(&bytes, ROOT, 0, u64::MAX).unwrap().gpa, 0x1fff);
    assert!(matches!(tables.map(&mapping(last, 0, 0x2000)), Err(Error::Unaligned(_))));
}

#[test]
fn overlaps_and_odd_addresses_are_refused() {
    let mut tables = PageTables::new(C_BIT);
    tables.map(&mapping(0, 0, SIZE_2M)).unwrap();
    assert_eq!(tables.map(&mapping(0x1000, 0, 0x1000)), Err(Error::Occupied(0x1000)));
    tables.map(&mapping(SIZE_2M + 0x1000, 0, 0x1000)).unwrap();
    assert_eq!(tables.map(&mapping(SIZE_2M, 0, SIZE_2M)), Err(Error::Occupied(SIZE_2M)));
    for (address, gpa, size) in [(1, 0, 4096), (0, 8, 4096), (0, 0, 5)] {
        assert_eq!(tables.map(&mapping(address, gpa, size)), Err(Error::Unaligned(address)));
    }
    let high = 8 * SIZE_2M;
    assert_eq!(tables.map(&mapping(high, C_BIT, 4096)), Err(Error::Address(C_BIT)));
    assert_eq!(tables.map(&mapping(high, 1 << 52, 4096)), Err(Error::Address(1 << 52)));
    assert_eq!(tables.to_bytes(C_BIT), Err(Error::Address(C_BIT)));
    assert_eq!(tables.to_bytes(u64::MAX - 4095), Err(Error::Address(u64::MAX - 4095)));
}

proptest! {
    #[test]
    fn walks_find_what_was_mapped(
        pages in proptest::collection::btree_set(0_u64..3 * 512, 1..40),
        offset in 0_u64..600,
        c_bit in prop_oneof![Just(0), (32_u32..52).prop_map(|bit| 1_u64 << bit)],
    ) {
        let base = 0xffff_ffff_8000_0000;
        let mut tables = PageTables::new(c_bit);
        for page in &pages {
            tables.map(&mapping(base + page * SIZE_4K, (page + offset) * SIZE_4K, SIZE_4K)).unwrap();
        }
        let bytes = tables.to_bytes(ROOT).unwrap();
        prop_assert_eq!(bytes.len() as u64, tables.page_count() * SIZE_4K);
        for page in 0..3 * 512 {
            let found = translate(&bytes, ROOT, c_bit, base + page * SIZE_4K).map(|t| t.gpa);
            prop_assert_eq!(found, pages.contains(&page).then_some((page + offset) * SIZE_4K));
        }
    }
}
