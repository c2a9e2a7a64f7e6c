//! Values and marks: together, at their places, read once.

extern crate std;

use std::collections::BTreeMap;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;

/// Every field with a value of its own.
fn full() -> SaveArea {
    SaveArea {
        cpl: Some(3),
        xss: Some(0x11),
        dr7: Some(0x22),
        rax: Some(0x33),
        rcx: Some(0x44),
        rdx: Some(0x55),
        rbx: Some(0x66),
        rsi: Some(0x77),
        exit_code: Some(0x88),
        exit_info_1: Some(0x99),
        exit_info_2: Some(0xaa),
        scratch: Some(0xbb),
        xcr0: Some(0xcc),
    }
}

fn stored(area: &SaveArea) -> BTreeMap<usize, u64> {
    let mut words = BTreeMap::new();
    area.store(|offset, value| {
        assert_eq!(words.insert(offset, value), None, "{offset:#x} was written twice");
    });
    words
}

#[test]
fn fields_are_where_the_specification_puts_them() {
    let all = ValidFields::all().bits();
    let expected = [
        (0x0c8, 3 << 24),
        (0x140, 0x11),
        (0x160, 0x22),
        (0x1f8, 0x33),
        (0x308, 0x44),
        (0x310, 0x55),
        (0x318, 0x66),
        (0x330, 0x77),
        (0x390, 0x88),
        (0x398, 0x99),
        (0x3a0, 0xaa),
        (0x3a8, 0xbb),
        (0x3e8, 0xcc),
        (0x3f0, all as u64),
        (0x3f8, (all >> 64) as u64),
    ];
    assert_eq!(stored(&full()), BTreeMap::from(expected));
    assert_eq!(full().valid_fields(), ValidFields::all());
}

#[test]
fn what_is_not_there_is_not_written_and_not_marked() {
    assert_eq!(stored(&SaveArea::default()), BTreeMap::from([(0x3f0, 0), (0x3f8, 0)]));
    let answer = SaveArea { rbx: Some(5), ..SaveArea::answer(1, 2) };
    let marks =
        (ValidFields::RBX | ValidFields::EXIT_INFO_1 | ValidFields::EXIT_INFO_2).bits() >> 64;
    let expected = [(0x318, 5), (0x398, 1), (0x3a0, 2), (0x3f0, 0), (0x3f8, marks as u64)];
    assert_eq!(stored(&answer), BTreeMap::from(expected));
}

#[test]
fn what_is_not_marked_is_not_read() {
    let mut offsets = Vec::new();
    let area = SaveArea::load(|offset| {
        offsets.push(offset);
        if offset == 0x3f8 { ValidFields::RBX.bits().wrapping_shr(64) as u64 } else { 0 }
    });
    assert_eq!(offsets, [0x3f0, 0x3f8, 0x318]);
    assert_eq!(area, SaveArea { rbx: Some(0), ..SaveArea::default() });
}

#[test]
fn what_is_not_wanted_is_not_read() {
    let wanted = ValidFields::EXIT_INFO_1 | ValidFields::RBX;
    let mut offsets = Vec::new();
    let area = SaveArea::load_fields(wanted, |offset| {
        offsets.push(offset);
        u64::MAX
    });
    assert_eq!(offsets, [0x3f8, 0x318, 0x398]);
    let expected =
        SaveArea { rbx: Some(u64::MAX), exit_info_1: Some(u64::MAX), ..SaveArea::default() };
    assert_eq!(area, expected);
    let nothing = SaveArea::load_fields(ValidFields::empty(), |_| unreachable!());
    assert_eq!(nothing, SaveArea::default());
}

#[test]
fn a_page_that_changes_all_the_time_is_read_once() {
    let mut reads = BTreeMap::new();
    let mut value = u64::MAX;
    let area = SaveArea::load(|offset| {
        *reads.entry(offset).or_insert(0) += 1;
        if offset < 0x3f0 {
            value = value.wrapping_sub(1);
        }
        value
    });
    assert_eq!(reads.len(), 15);
    assert!(reads.values().all(|count| *count == 1));
    assert_eq!(area.valid_fields(), ValidFields::all());
}

/// Any combination of fields.
fn areas() -> impl Strategy<Value = SaveArea> {
    (any::<Option<u8>>(), proptest::array::uniform12(any::<Option<u64>>())).prop_map(
        |(cpl, [xss, dr7, rax, rcx, rdx, rbx, rsi, code, info_1, info_2, scratch, xcr0])| {
            SaveArea {
                cpl,
                xss,
                dr7,
                rax,
                rcx,
                rdx,
                rbx,
                rsi,
                exit_code: code,
                exit_info_1: info_1,
                exit_info_2: info_2,
                scratch,
                xcr0,
            }
        },
    )
}

proptest! {
    #[test]
    fn what_is_stored_is_loaded(area in areas()) {
        let words = stored(&area);
        let loaded = SaveArea::load(|offset| words.get(&offset).copied().unwrap_or(0xdead));
        prop_assert_eq!(loaded, area);
    }

    #[test]
    fn some_fields_are_those_of_all(area in areas(), wanted: u128) {
        let wanted = ValidFields::from_bits_truncate(wanted);
        let words = stored(&area);
        let read = |offset| words.get(&offset).copied().unwrap_or(0xdead);
        let some = SaveArea::load_fields(wanted, read);
        prop_assert_eq!(some.valid_fields(), area.valid_fields() & wanted);
        // What is in both is the same.
        let mut kept = Vec::new();
        area.store(|offset, value| kept.push((offset, value)));
        some.store(|offset, value| {
            assert!(offset >= BITMAP || kept.contains(&(offset, value)), "{offset:#x}");
        });
    }
}
