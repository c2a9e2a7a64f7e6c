//! Every rule of the boot contract, broken once; and files that are garbage.

use proptest::prelude::*;

use super::sample::{DATA, RODATA, SampleElf, TEXT, load, note};
use super::*;

/// The sample kernel with a change.
fn changed(change: impl FnOnce(&mut SampleElf)) -> Vec<u8> {
    let mut sample = SampleElf::kernel();
    change(&mut sample);
    sample.to_bytes()
}

fn refusal(change: impl FnOnce(&mut SampleElf)) -> Error {
    parse_kernel(&changed(change)).unwrap_err()
}

#[test]
fn kernel_is_read() {
    let kernel = parse_kernel(&SampleElf::kernel().to_bytes()).unwrap();
    assert_eq!(kernel.entry, TEXT + 0x10);
    assert_eq!(kernel.pvh_entry, Some(TEXT + 1));
    let segments: Vec<_> = kernel
        .segments
        .iter()
        .map(|s| (s.name(), s.address, s.memory_size, s.access.to_string(), s.content.len()))
        .collect();
    assert_eq!(
        segments,
        [
            ("text", TEXT, 0x3000, "r-x".to_owned(), 0x2345),
            ("rodata", RODATA, 0x1000, "r--".to_owned(), 9),
            ("data", DATA, 0x5000, "rw-".to_owned(), 0x1234),
        ]
    );
}

#[test]
fn segments_are_sorted_and_empty_ones_left_out() {
    let bytes = changed(|sample| {
        sample.segments.reverse();
        sample.segments.push(load(4, 3, 0, &[]));
    });
    assert_eq!(parse_kernel(&bytes), parse_kernel(&SampleElf::kernel().to_bytes()));
}

#[test]
fn execute_only_is_readable() {
    let bytes = changed(|sample| sample.segments[0].flags = 1);
    assert_eq!(parse_kernel(&bytes).unwrap().segments[0].access.to_string(), "r-x");
}

#[test]
fn foreign_files_are_refused() {
    assert_eq!(parse_kernel(b""), Err(Error::NotElf));
    assert_eq!(parse_kernel(b"MZ and more"), Err(Error::NotElf));
    assert_eq!(parse_kernel(b"\x7fELF"), Err(Error::Class));
    assert_eq!(refusal(|sample| sample.class = 1), Error::Class);
    assert_eq!(refusal(|sample| sample.machine = 183), Error::Machine(183));
    for file_type in [1, 3, 4] {
        let error = refusal(|sample| sample.file_type = file_type);
        assert!(matches!(error, Error::Type(given, _) if given == file_type));
    }
    let mut big_endian = SampleElf::kernel().to_bytes();
    big_endian[5] = 2;
    assert_eq!(parse_kernel(&big_endian), Err(Error::Class));
}

#[test]
fn every_truncation_is_refused() {
    let bytes = SampleElf::kernel().to_bytes();
    for length in 0..bytes.len() {
        assert!(parse_kernel(&bytes[..length]).is_err(), "{length}");
    }
    // The note is last: what cuts into the segments before it names the one.
    let data_end = bytes.len() - SampleElf::kernel().segments[3].content.len();
    assert_eq!(parse_kernel(&bytes[..data_end - 1]), Err(Error::Truncated(2)));
}

#[test]
fn segments_keep_the_contract() {
    let segment = |index: usize, change: fn(&mut sample::SampleSegment)| {
        refusal(|sample| change(&mut sample.segments[index]))
    };
    assert_eq!(segment(0, |s| s.flags = 7), Error::WritableCode(0));
    assert_eq!(segment(1, |s| s.flags = 3), Error::WritableCode(1));
    assert_eq!(segment(1, |s| s.flags = 0), Error::Unreadable(1));
    assert_eq!(segment(1, |s| s.address += 8), Error::Unaligned(1, RODATA + 8));
    assert_eq!(segment(1, |s| s.memory_size = 8), Error::FileSize(1, 9, 8));
    assert_eq!(segment(1, |s| s.address = TEXT + 0x2000), Error::Overlap(TEXT, TEXT + 0x2000));
    assert_eq!(segment(2, |s| s.kind = 2), Error::Dynamic(2));
    assert_eq!(segment(2, |s| s.kind = 3), Error::Dynamic(2));
    for address in [0, 0x40_0000, VIRTUAL_BASE - 4096, VIRTUAL_BASE, 0u64.wrapping_sub(4096)] {
        let error = refusal(|sample| sample.segments[1].address = address);
        assert!(matches!(error, Error::OutsideRange(1, given, _) if given == address));
    }
    for size in [u64::MAX, u64::MAX - 4095, 0x8000_0000] {
        let error = refusal(|sample| sample.segments[2].memory_size = size);
        assert!(matches!(error, Error::OutsideRange(2, ..)), "{size:#x} {error}");
    }
}

#[test]
fn number_of_segments_is_bounded() {
    assert_eq!(refusal(|sample| sample.segments.clear()), Error::Nothing);
    let many = |count| {
        changed(|sample| {
            let address = |index: u64| DATA + 0x10_0000 + index * 4096;
            sample.segments.extend((0..count).map(|index| load(4, address(index), 1, &[])));
        })
    };
    assert!(parse_kernel(&many(13)).is_ok());
    assert_eq!(parse_kernel(&many(14)), Err(Error::TooMany(17)));
}

#[test]
fn entries_are_executable() {
    assert_eq!(refusal(|sample| sample.entry = DATA), Error::Entry(DATA));
    assert_eq!(refusal(|sample| sample.entry = 0), Error::Entry(0));
    let end = TEXT + 0x3000;
    assert_eq!(refusal(|sample| sample.entry = end), Error::Entry(end));
    let pvh = |address: u64| {
        refusal(|sample| sample.segments[3] = note(b"SVSM\0", 1, &address.to_le_bytes()))
    };
    assert_eq!(pvh(RODATA), Error::PvhEntry(RODATA));
}

#[test]
fn pvh_note_is_found_among_others() {
    let bytes = changed(|sample| {
        sample.segments.insert(0, note(b"GNU\0", 1, b"12345678"));
        sample.segments.insert(0, note(b"SVSM\0", 9, b"12"));
        sample.segments.push(sample.segments[5].clone());
    });
    assert_eq!(parse_kernel(&bytes).unwrap().pvh_entry, Some(TEXT + 1));
    let without = changed(|sample| drop(sample.segments.pop()));
    assert_eq!(parse_kernel(&without).unwrap().pvh_entry, None);
}

#[test]
fn pvh_note_is_checked() {
    let short = refusal(|sample| sample.segments[3] = note(b"SVSM\0", 1, &[1, 2, 3, 4]));
    assert!(matches!(short, Error::PvhNote(_)));
    let twice = refusal(|sample| {
        sample.segments.push(note(b"SVSM\0", 1, &(TEXT + 2).to_le_bytes()));
    });
    assert!(matches!(twice, Error::PvhNote(_)));
    let cut = refusal(|sample| sample.segments[3].content.truncate(20));
    assert!(matches!(cut, Error::Malformed(_)));
}

#[test]
fn services_are_checked() {
    assert_eq!(check_service(&SampleElf::service(b"code").to_bytes()), Ok(()));
    let change = |change: fn(&mut SampleElf)| {
        let mut sample = SampleElf::service(b"code");
        change(&mut sample);
        check_service(&sample.to_bytes())
    };
    assert_eq!(change(|sample| sample.file_type = 3), Ok(()));
    assert!(matches!(change(|sample| sample.file_type = 1), Err(Error::Type(1, _))));
    assert_eq!(change(|sample| sample.machine = 3), Err(Error::Machine(3)));
    assert_eq!(change(|sample| sample.segments[0].kind = 3), Err(Error::Dynamic(0)));
    assert_eq!(change(|sample| sample.segments[0].kind = 6), Err(Error::Nothing));
    let bytes = SampleElf::service(b"code").to_bytes();
    assert_eq!(check_service(&bytes[..bytes.len() - 1]), Err(Error::Truncated(0)));
}

proptest! {
    #[test]
    fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = (parse_kernel(&bytes), check_service(&bytes));
        let with_magic = [&SampleElf::kernel().to_bytes()[..24], &bytes].concat();
        let _ = (parse_kernel(&with_magic), check_service(&with_magic));
    }

    /// Headers are where the decisions are: flip bits there. What is accepted
    /// still keeps the contract.
    #[test]
    fn flipped_bits_never_panic(flips in proptest::collection::vec((0_usize..330, 0_u8..8), 1..6)) {
        let mut bytes = SampleElf::kernel().to_bytes();
        for (offset, bit) in flips {
            bytes[offset] ^= 1 << bit;
        }
        let _ = check_service(&bytes);
        if let Ok(kernel) = parse_kernel(&bytes) {
            let mut end = VIRTUAL_BASE + 4096;
            for segment in &kernel.segments {
                prop_assert!(segment.address >= end);
                prop_assert!(segment.address.is_multiple_of(4096));
                prop_assert!(segment.content.len() as u64 <= segment.memory_size);
                prop_assert!(!segment.access.contains(Access::WRITE | Access::EXECUTE));
                end = segment.end();
            }
            prop_assert!(kernel.segments.iter().any(|segment| segment.executes(kernel.entry)));
        }
    }
}
