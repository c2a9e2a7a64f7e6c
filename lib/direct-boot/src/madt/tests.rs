//! Processors are told as they are, and what is no table is left alone.

extern crate std;

use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;

fn madt(processors: u8) -> Vec<u8> {
    platform_tables::madt(processors.try_into().unwrap())
}

/// A right table with these structures.
fn table(structures: &[&[u8]]) -> Vec<u8> {
    let mut table = vec![0; STRUCTURES];
    table[..4].copy_from_slice(b"APIC");
    table.extend(structures.concat());
    seal(&mut table);
    table
}

/// Makes length and checksum right.
fn seal(table: &mut [u8]) {
    let length = table.len() as u32;
    table[4..8].copy_from_slice(&length.to_le_bytes());
    table[9] = 0;
    table[9] = 0_u8.wrapping_sub(sum(table));
}

/// APIC ids with whether they are enabled.
fn processors(table: &mut [u8]) -> Vec<(u32, bool)> {
    let mut all = Vec::new();
    for_each_processor(table, |id, flags| all.push((id, *flags == [1, 0, 0, 0]))).unwrap();
    all
}

#[test]
fn the_given_processors_are_enabled_and_no_others() {
    let mut table = madt(4);
    assert_eq!(enable_processors(&mut table, &[2, 0]), Ok(()));
    assert_eq!(processors(&mut table), [(0, true), (1, false), (2, true), (3, false)]);
    assert_eq!((sum(&table), table.len()), (0, madt(4).len()));
    // All else is as before, and the way back leads to the same bytes.
    assert_eq!(enable_processors(&mut table, &[0, 1, 2, 3]), Ok(()));
    assert_eq!(table, madt(4));
}

#[test]
fn both_kinds_of_processors_count() {
    let mut table = table(&[
        &[0, 8, 0, 7, 2, 0, 0, 0],
        &[1, 3, 9],
        &[9, 16, 0, 0, 0, 1, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0],
    ]);
    assert_eq!(enable_processors(&mut table, &[0x100]), Ok(()));
    assert_eq!(processors(&mut table), [(7, false), (0x100, true)]);
    assert_eq!(sum(&table), 0);
    let structures = &table[STRUCTURES..];
    assert_eq!(structures[..8], [0, 8, 0, 7, 0, 0, 0, 0]);
}

#[test]
fn what_is_no_table_is_refused() {
    let refusal = |mut bytes: Vec<u8>| {
        let before = bytes.clone();
        let error = enable_processors(&mut bytes, &[0]).unwrap_err();
        assert_eq!(bytes, before);
        error
    };
    assert_eq!(refusal(madt(1)[..43].to_vec()), MadtError::Truncated(43));
    let mut other = madt(1);
    other[0] = b'a';
    assert_eq!(refusal(other), MadtError::Signature);
    let whole = madt(1).len();
    let error = MadtError::Length { said: whole as u32, actual: whole - 1 };
    assert_eq!(refusal(madt(1)[..whole - 1].to_vec()), error);
    let mut other = madt(1);
    other[20] ^= 1;
    assert_eq!(refusal(other), MadtError::Checksum);

    let good = [0, 8, 0, 0, 1, 0, 0, 0];
    let malformed: [&[u8]; 6] = [
        &[1],
        &[1, 0],
        &[1, 1],
        &[1, 4, 0],
        &[0, 7, 0, 0, 1, 0, 0],
        &[9, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    ];
    for structure in malformed {
        let error = MadtError::Structure(STRUCTURES + good.len());
        assert_eq!(refusal(table(&[&good, structure])), error, "{structure:?}");
    }
}

#[test]
fn a_processor_that_the_table_lacks_is_named() {
    let mut table = madt(4);
    assert_eq!(enable_processors(&mut table, &[1, 4]), Err(MadtError::UnknownProcessor(4)));
    assert_eq!(table, madt(4));
}

proptest! {
    #[test]
    fn any_bytes_are_changed_rightly_or_not_at_all(
        structures in proptest::collection::vec(
            (prop_oneof![Just(0_u8), Just(9), any::<u8>()],
             proptest::collection::vec(any::<u8>(), 0..16), any::<bool>()), 0..6),
        cut in 0_usize..3,
        ids in proptest::collection::vec(0_u32..4, 0..3),
    ) {
        let mut bytes = vec![0; STRUCTURES];
        bytes[..4].copy_from_slice(b"APIC");
        for (kind, body, right) in &structures {
            let length = if *right { body.len() as u8 + 2 } else { 200 };
            bytes.extend([*kind, length]);
            bytes.extend(body);
        }
        bytes.truncate(bytes.len() - cut);
        if bytes.len() >= STRUCTURES {
            seal(&mut bytes);
        }
        let before = bytes.clone();
        match enable_processors(&mut bytes, &ids) {
            Ok(()) => {
                prop_assert_eq!(sum(&bytes), 0);
                for (id, enabled) in processors(&mut bytes) {
                    prop_assert_eq!(enabled, ids.contains(&id));
                }
            }
            Err(_) => prop_assert_eq!(bytes, before),
        }
    }
}
