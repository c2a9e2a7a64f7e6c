//! Tests of the block, read back as an operating system reads it.

use alloc::vec::Vec;
use core::num::NonZeroU8;

use proptest::prelude::*;

use super::{Error, LARGEST, build};

const ADDRESS: u64 = 0xe_0000;

fn processors(count: u8) -> NonZeroU8 {
    NonZeroU8::new(count).unwrap_or(NonZeroU8::MIN)
}

/// A block as seen by one who knows where it lies and nothing else. What is not
/// there is `None`.
struct Reader {
    address: u64,
    bytes: Vec<u8>,
}

impl Reader {
    fn new(address: u64, count: u8) -> Result<Self, Error> {
        Ok(Self { address, bytes: build(address, processors(count))?.bytes })
    }

    fn at(&self, address: u64) -> Option<&[u8]> {
        self.bytes.get(usize::try_from(address.checked_sub(self.address)?).ok()?..)
    }

    /// A table with a right checksum and this signature.
    fn table(&self, address: u64, signature: &str) -> Option<&[u8]> {
        let rest = self.at(address)?;
        let table = rest.get(..u32_at(rest, 4)? as usize)?;
        (table.starts_with(signature.as_bytes()) && sum(table) == 0).then_some(table)
    }

    /// The table with this signature that the root table names.
    fn found(&self, signature: &str) -> Option<&[u8]> {
        let pointer = self.at(self.address)?;
        let root = self.table(u64_at(pointer, 24)?, "XSDT")?;
        let entries = root.get(36..)?.chunks_exact(8);
        let mut addresses = entries.filter_map(|entry| u64_at(entry, 0));
        addresses.find_map(|address| self.table(address, signature))
    }
}

fn sum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum.wrapping_add(*byte))
}

fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(offset..offset + 4)?.try_into().ok()?))
}

fn u64_at(bytes: &[u8], offset: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(offset..offset + 8)?.try_into().ok()?))
}

#[test]
fn the_root_pointer_comes_first() -> Result<(), Error> {
    let reader = Reader::new(ADDRESS, 1)?;
    let pointer = &reader.bytes[..36];
    assert_eq!(&pointer[..8], b"RSD PTR ");
    assert_eq!((sum(&pointer[..20]), sum(pointer)), (0, 0));
    // Revision, and a length that is its own.
    assert_eq!((pointer[15], u32_at(pointer, 20)), (2, Some(36)));
    Ok(())
}

#[test]
fn fixed_hardware_is_that_of_the_machine() -> Result<(), Error> {
    let reader = Reader::new(ADDRESS, 1)?;
    let table = reader.found("FACP").unwrap_or_default();
    assert_eq!(table.len(), 276);
    // SCI, SMI command port, PM1a events, PM1a control, PM timer, lengths.
    assert_eq!(table[46..48], [9, 0]);
    let ports = [48, 56, 64, 76].map(|offset| u32_at(table, offset));
    assert_eq!(ports, [Some(0), Some(0x600), Some(0x604), Some(0x608)]);
    assert_eq!((table[88], table[89], table[91]), (4, 2, 4));
    // Not reduced, with a reset register; the timer has 24 bits.
    let flags = u32_at(table, 112).unwrap_or_default();
    assert_eq!((flags >> 20 & 1, flags >> 10 & 1, flags >> 8 & 1), (0, 1, 0));
    assert_eq!((table[116], u64_at(table, 120), table[128]), (1, Some(0xcf9), 6));
    // The same ports once more as generic addresses: space, bits, port.
    let generic = |at: usize| (table[at], table[at + 1], u64_at(table, at + 4));
    assert_eq!(generic(148), (1, 32, Some(0x600)));
    assert_eq!(generic(172), (1, 16, Some(0x604)));
    assert_eq!(generic(208), (1, 32, Some(0x608)));
    Ok(())
}

#[test]
fn it_leads_to_the_other_two_tables() -> Result<(), Error> {
    let reader = Reader::new(ADDRESS, 1)?;
    let table = reader.found("FACP").unwrap_or_default();
    let facs = u64_at(table, 132).unwrap_or_default();
    assert!(facs.is_multiple_of(64));
    let facs = reader.at(facs).unwrap_or_default();
    assert_eq!((&facs[..4], u32_at(facs, 4)), (&b"FACS"[..], Some(64)));
    let dsdt = u64_at(table, 140).unwrap_or_default();
    assert!(reader.table(dsdt, "DSDT").is_some());
    Ok(())
}

#[test]
fn all_processors_are_listed() -> Result<(), Error> {
    for count in [1, 8, 255] {
        let reader = Reader::new(ADDRESS, count)?;
        let table = reader.found("APIC").unwrap_or_default();
        assert_eq!(table, crate::madt(processors(count)));
        let madt = build(ADDRESS, processors(count))?.madt;
        assert_eq!(reader.at(madt.start).unwrap_or_default().as_ptr(), table.as_ptr());
        assert_eq!(madt.end - madt.start, table.len() as u64);
        assert_eq!(u64_at(table, 36), Some(0x1_fee0_0000));
        let mut structures = Vec::new();
        let mut rest = &table[44..];
        while let [_, length, ..] = rest {
            let (structure, others) = rest.split_at(usize::from(*length));
            structures.push(structure);
            rest = others;
        }
        let (apics, others) = structures.split_at(usize::from(count));
        for (id, apic) in (0..count).zip(apics) {
            assert_eq!(*apic, [0, 8, id, id, 1, 0, 0, 0]);
        }
        let expected: [&[u8]; 4] = [
            &[1, 12, 0, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0],
            &[2, 10, 0, 0, 2, 0, 0, 0, 0, 0],
            &[2, 10, 0, 9, 9, 0, 0, 0, 0xd, 0],
            &[4, 6, 0xff, 0, 0, 1],
        ];
        assert_eq!(others, expected);
    }
    Ok(())
}

#[test]
fn unfit_addresses_are_refused() {
    for address in [1, 32, 0xe_0010, u64::MAX, u64::MAX - 63, 0u64.wrapping_sub(LARGEST)] {
        assert_eq!(build(address, NonZeroU8::MIN), Err(Error::Address(address)), "{address:#x}");
    }
    assert!(build(0, NonZeroU8::MIN).is_ok());
}

proptest! {
    #[test]
    fn every_table_is_found_wherever_the_block_lies(place in 0..u64::MAX >> 8, count in 1..=u8::MAX) {
        let reader = Reader::new(place * 64, count);
        let reader = reader.map_err(|error| TestCaseError::fail(alloc::format!("{error}")))?;
        for signature in ["FACP", "APIC"] {
            prop_assert!(reader.found(signature).is_some());
        }
    }
}
