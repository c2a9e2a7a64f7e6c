//! Tables whole and broken.

extern crate std;

use std::string::ToString;
use std::vec::Vec;

use super::*;

/// A table with these entries and names.
fn table(entries: &[(u32, u32, u32)], names: &str) -> Vec<u8> {
    let header = SymbolsHeader::new(entries.len() as u32, names.len() as u32);
    let mut table = header.as_bytes().to_vec();
    for &(start, size, name) in entries {
        table.extend_from_slice(SymbolEntry { start, size, name }.as_bytes());
    }
    table.extend_from_slice(names.as_bytes());
    table
}

fn sample() -> Vec<u8> {
    table(&[(0x1000, 0x10, 0), (0x1010, 0x20, 5), (0x2000, 1, 10)], "startmäin")
}

fn name_at(bytes: &[u8], offset: u64) -> Option<std::string::String> {
    let symbols = Symbols::parse(bytes).unwrap();
    symbols.find(VIRTUAL_BASE.wrapping_add(offset)).map(|symbol| symbol.to_string())
}

#[test]
fn addresses_have_names() {
    let mut bytes = sample();
    bytes.resize(4096, 0);
    for (offset, expected) in [
        (0x1000, Some("start+0x0")),
        (0x100f, Some("start+0xf")),
        (0x1010, Some("mäin+0x0")),
        (0x102f, Some("mäin+0x1f")),
        (0x2000, Some("+0x0")),
    ] {
        assert_eq!(name_at(&bytes, offset).as_deref(), expected, "{offset:#x}");
    }
    for offset in [0, 0xfff, 0x1030, 0x1fff, 0x2001, u64::MAX, 1 << 63] {
        assert_eq!(name_at(&bytes, offset), None, "{offset:#x}");
    }
    let symbols = Symbols::parse(&bytes).unwrap();
    assert_eq!(symbols.iter().nth(1), Some((VIRTUAL_BASE + 0x1010, 0x20, "mäin")));
    assert_eq!(Symbols::parse(&table(&[], "")).unwrap().iter().count(), 0);
}

#[test]
fn names_that_are_no_text_are_empty() {
    let mut bytes = table(&[(0, 1, 0), (1, 1, 1)], "ab");
    *bytes.last_mut().unwrap() = 0xff;
    assert_eq!([0, 1].map(|offset| name_at(&bytes, offset).unwrap()), ["a+0x0", "+0x0"]);
}

#[test]
fn broken_tables_are_refused() {
    let good = sample();
    for length in 0..good.len() {
        assert_eq!(Symbols::parse(&good[..length]).unwrap_err(), SymbolsError::Truncated);
    }
    let mut bad = good.clone();
    bad[7] = b'X';
    assert_eq!(Symbols::parse(&bad).unwrap_err(), SymbolsError::Magic);
    for (entries, index) in [
        ([(1, 0, 0), (2, 1, 0)], 0),
        ([(1, 2, 0), (2, 1, 0)], 1),
        ([(5, 1, 0), (2, 1, 0)], 1),
        ([(u32::MAX, 1, 0), (2, 1, 0)], 0),
        ([(1, 2, 0), (0x3fff_ffff, 2, 0)], 1),
        ([(1, 1, 2), (2, 1, 1)], 1),
        ([(1, 1, 0), (2, 1, 4)], 1),
    ] {
        let result = Symbols::parse(&table(&entries, "abc")).map(|_| ());
        assert_eq!(result, Err(SymbolsError::Entry(index)), "{entries:?}");
    }
}
