//! Tables that are right, tables that hosts make up, and any bytes at all.

extern crate std;

use std::string::ToString;
use std::vec::Vec;
use std::{format, vec};

use proptest::prelude::*;

use super::*;

/// The bytes of an entry.
fn entry(kind: CertificateKind, offset: u32, length: u32) -> Vec<u8> {
    [kind.0.as_bytes().as_slice(), &offset.to_le_bytes(), &length.to_le_bytes()].concat()
}

/// A table with these entries and the one that ends it, followed by `content`.
fn table(entries: &[(CertificateKind, u32, u32)], content: &[u8]) -> Vec<u8> {
    let entries = entries.iter().flat_map(|&(kind, offset, length)| entry(kind, offset, length));
    entries.chain([0; 0x18]).chain(content.iter().copied()).collect()
}

#[test]
fn identifiers_stand_as_they_are_written() {
    let bytes = table(&[(CertificateKind::VCEK, 0x30, 0)], &[]);
    let expected = [
        0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64, 0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac,
        0xcd,
    ];
    assert_eq!(bytes[..0x10], expected);
    assert_eq!(CertificateTable::parse(&bytes).unwrap().find(CertificateKind::VCEK), Some(&[][..]));
}

#[test]
fn written_table_is_read() {
    let certificates = [
        Certificate { kind: CertificateKind::VLEK, bytes: b"leased" },
        Certificate { kind: CertificateKind::ASK, bytes: b"" },
        Certificate { kind: CertificateKind(Uuid::from_u128(1)), bytes: b"?" },
        Certificate { kind: CertificateKind::ARK, bytes: b"root" },
    ];
    let mut place = [0xee; 5 * 0x18 + 11 + 3];
    assert_eq!(write_certificate_table(&certificates, &mut place), Ok(5 * 0x18 + 11));
    assert_eq!(place[5 * 0x18..], *b"leased?root\xee\xee\xee");
    assert_eq!(place[0x10..0x18], [0x78, 0, 0, 0, 6, 0, 0, 0]);
    assert_eq!(place[0x58..0x60], [0x7f, 0, 0, 0, 4, 0, 0, 0]);

    let table = CertificateTable::parse(&place).unwrap();
    assert_eq!(table.certificates().collect::<Vec<_>>(), certificates);
    assert_eq!(table.find(CertificateKind::ARK), Some(&b"root"[..]));
    assert_eq!(table.find(CertificateKind::CRL), None);
    assert_eq!(table.size(), 5 * 0x18 + 11);
    let expected = "{VLEK: 6, ASK: 0, 00000000-0000-0000-0000-000000000001: 1, ARK: 4}";
    assert_eq!(format!("{table:?}"), expected);
}

#[test]
fn zeros_are_an_empty_table() {
    for size in [0x18, 0x19, 0x4000] {
        let bytes = vec![0; size];
        assert_eq!(CertificateTable::parse(&bytes).unwrap().certificates().count(), 0);
    }
    let mut place = [0xee; 0x18];
    assert_eq!(write_certificate_table(&[], &mut place), Ok(0x18));
    assert_eq!(place, [0; 0x18]);
}

#[test]
fn the_size_is_that_of_what_reaches_farthest() {
    for (entries, size) in [
        (&[][..], 0x18),
        (&[(CertificateKind::ARK, 0, 4)], 0x30),
        (&[(CertificateKind::ARK, 0x50, 4), (CertificateKind::ASK, 0x48, 4)], 0x54),
    ] {
        let bytes = table(entries, &[0xee; 0x20]);
        assert_eq!(CertificateTable::parse(&bytes).unwrap().size(), size);
    }
}

#[test]
fn tables_must_end() {
    let mut endless = entry(CertificateKind::ARK, 0, 1).repeat(3);
    for size in [0, 1, 0x17, 0x18, 0x48] {
        let error = CertificateTable::parse(&endless[..size]).unwrap_err();
        assert_eq!(error, CertificateTableError::Unterminated { size });
    }
    endless.extend([0; 0x17]);
    let error = CertificateTable::parse(&endless).unwrap_err();
    assert_eq!(error.to_string(), "the certificate table does not end within its 0x5f bytes");
}

#[test]
fn certificates_must_lie_within_the_bytes() {
    let size = 0x30 + 4;
    for (offset, length, is_inside) in [
        (0x30, 4, true),
        (0x34, 0, true),
        (0, 0x34, true),
        (0x30, 5, false),
        (0x35, 0, false),
        (0x34, 1, false),
        (u32::MAX, u32::MAX, false),
        (u32::MAX, 1, false),
        (1, u32::MAX, false),
    ] {
        let kind = CertificateKind::CRL;
        let bytes = table(&[(kind, offset, length)], b"data");
        let expected = CertificateTableError::OutOfBounds { kind, offset, length, size };
        match CertificateTable::parse(&bytes) {
            Ok(_) => assert!(is_inside, "{offset:#x} {length:#x}"),
            Err(error) => assert_eq!((error, is_inside), (expected, false)),
        }
    }
}

#[test]
fn what_is_not_forbidden_is_taken() {
    // Twice the same kind, overlapping each other and the table.
    let bytes = table(&[(CertificateKind::ASK, 0x48, 3), (CertificateKind::ASK, 0x40, 10)], b"abc");
    let table = CertificateTable::parse(&bytes).unwrap();
    assert_eq!(table.find(CertificateKind::ASK), Some(&b"abc"[..]));
    let all: Vec<_> = table.certificates().map(|certificate| certificate.bytes).collect();
    assert_eq!(all, [b"abc".as_slice(), b"\0\0\0\0\0\0\0\0ab"]);
}

#[test]
fn what_cannot_be_written_is_refused() {
    let certificates = [Certificate { kind: CertificateKind::ARK, bytes: b"root" }];
    let mut place = [0xee; 0x33];
    let no_room = CertificateTableWriteError::NoRoom { needed: 0x34, size: 0x33 };
    assert_eq!(write_certificate_table(&certificates, &mut place), Err(no_room));
    assert_eq!(place, [0xee; 0x33]);

    let nil = [Certificate { kind: CertificateKind(Uuid::nil()), bytes: b"" }];
    let refused = write_certificate_table(&nil, &mut [0; 0x100]);
    assert_eq!(refused, Err(CertificateTableWriteError::NilKind));
}

#[test]
fn kinds_show_their_names() {
    let kinds = [
        (CertificateKind::ARK, "ARK"),
        (CertificateKind::ASK, "ASK"),
        (CertificateKind::VCEK, "VCEK"),
        (CertificateKind::VLEK, "VLEK"),
        (CertificateKind::CRL, "CRL"),
    ];
    for (kind, name) in kinds {
        assert_eq!(kind.to_string(), name);
    }
    let unknown = CertificateKind(Uuid::from_u128(0xff));
    assert_eq!(unknown.to_string(), "00000000-0000-0000-0000-0000000000ff");
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(table) = CertificateTable::parse(&bytes) {
            prop_assert!(table.certificates().all(|c| c.bytes.len() <= bytes.len()));
        }
    }

    #[test]
    fn near_tables_are_read_or_refused(
        entries in prop::collection::vec((1_u128..5, 0_u32..300, 0_u32..300), 0..6),
        content in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let entries: Vec<_> = entries
            .into_iter()
            .map(|(kind, offset, length)| (CertificateKind(Uuid::from_u128(kind)), offset, length))
            .collect();
        let bytes = table(&entries, &content);
        let is_inside = entries.iter().all(|(_, offset, length)| {
            bytes.len() >= (offset + length) as usize
        });
        let parsed = CertificateTable::parse(&bytes);
        prop_assert_eq!(parsed.is_ok(), is_inside);
        if let Ok(parsed) = parsed {
            let found: Vec<_> = parsed.certificates().map(|c| (c.kind, c.bytes)).collect();
            let expected: Vec<_> = entries
                .iter()
                .map(|&(kind, offset, length)| {
                    (kind, &bytes[offset as usize..(offset + length) as usize])
                })
                .collect();
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn what_is_written_comes_back(
        contents in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..6),
    ) {
        let certificates: Vec<_> = (1_u128..)
            .zip(&contents)
            .map(|(kind, bytes)| Certificate { kind: CertificateKind(Uuid::from_u128(kind)), bytes })
            .collect();
        let mut place = [0xee; 0x200];
        let size = write_certificate_table(&certificates, &mut place).unwrap();
        let table = CertificateTable::parse(&place[..size]).unwrap();
        prop_assert_eq!(table.certificates().collect::<Vec<_>>(), certificates);
        prop_assert!(place[size..].iter().all(|byte| *byte == 0xee));
    }
}
