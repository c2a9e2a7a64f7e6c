//! Start information as loaders write it, and as they must not.

extern crate std;

use std::vec::Vec;

use zerocopy::IntoBytes;

use super::*;
use crate::memory_map::MemoryKind;

fn good() -> StartInfo {
    StartInfo {
        magic: MAGIC,
        version: 1,
        flags: 0,
        module_count: 2,
        modules: 0x9000,
        command_line: 0x9100,
        rsdp: 0xf_5a20,
        memory_map: 0x9200,
        memory_range_count: 3,
        _reserved: 0,
    }
}

#[test]
fn good_information_leads_to_its_arrays() {
    let info = StartInfo::parse(good().as_bytes()).unwrap();
    assert_eq!(info, good());
    assert_eq!(info.memory_map(), Array { address: 0x9200, size: 72 });
    assert_eq!(info.modules(), Some(Array { address: 0x9000, size: 64 }));
    // Longer is fine: later versions are.
    let mut longer = Vec::from(StartInfo { version: 2, ..good() }.as_bytes());
    longer.push(0xff);
    assert!(StartInfo::parse(&longer).is_ok());
}

#[test]
fn fields_lie_where_the_header_puts_them() {
    let bytes: Vec<u8> = (0..56).collect();
    let info = StartInfo::read_from_bytes(&bytes).unwrap();
    assert_eq!(info.module_count, 0x0f0e_0d0c);
    assert_eq!(info.modules, 0x1716_1514_1312_1110);
    assert_eq!(info.rsdp, 0x2726_2524_2322_2120);
    assert_eq!(info.memory_range_count, 0x3332_3130);
}

#[test]
fn no_modules_is_no_array() {
    for info in [StartInfo { module_count: 0, ..good() }, StartInfo { modules: 0, ..good() }] {
        assert_eq!(StartInfo::parse(info.as_bytes()).unwrap().modules(), None);
    }
}

#[test]
fn other_information_is_refused() {
    let short = &good();
    assert_eq!(StartInfo::parse(&short.as_bytes()[..55]), Err(Error::Truncated));
    for (info, error) in [
        (StartInfo { magic: 0, ..good() }, Error::Magic(0)),
        (StartInfo { version: 0, ..good() }, Error::Version(0)),
        (StartInfo { memory_map: 0, ..good() }, Error::NoMemoryMap),
        (StartInfo { memory_range_count: 0, ..good() }, Error::NoMemoryMap),
        (StartInfo { memory_range_count: 4097, ..good() }, Error::TooMany(4097)),
        (StartInfo { module_count: u32::MAX, ..good() }, Error::TooMany(u32::MAX)),
    ] {
        assert_eq!(StartInfo::parse(info.as_bytes()), Err(error));
    }
}

#[test]
fn entries_are_read_whole() {
    let ranges = [
        MemoryRange::new(0, 0x9_fc00, MemoryKind::RAM),
        MemoryRange::new(0x10_0000, 0x3fe0_0000, MemoryKind::RAM),
    ];
    let read: Vec<MemoryRange> = entries(ranges.as_bytes()).unwrap().collect();
    assert_eq!(read, ranges);
    assert_eq!(entries::<Module>(ranges.as_bytes()).err(), Some(Error::Truncated));
    assert_eq!(entries::<Module>(&[]).unwrap().count(), 0);
}
