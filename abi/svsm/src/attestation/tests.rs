//! Requests and tables, good and bad.

extern crate std;

use proptest::prelude::*;
use std::string::ToString;
use std::vec::Vec;
use zerocopy::{FromZeros, IntoBytes};

use super::*;
use crate::address::{GuestPage, ListAddress};
use crate::registers::CallRegisters;
use crate::result_code::ResultCode;

fn page(number: u64) -> GuestPage {
    GuestPage::at(number * 4096).unwrap()
}

fn request() -> ServicesRequest {
    ServicesRequest {
        report: Location::at(page(1), 4096),
        nonce: Location { address: 0x2fc0, length: 64, reserved: 0 },
        manifest: Location::at(page(3), 5000),
        certificates: Location::at(page(5), 0x4000),
    }
}

#[test]
fn registers() {
    let at = |address| ListAddress::at(address).unwrap();
    for call in [AttestationCall::Services(at(0x1fc0)), AttestationCall::SingleService(at(0x1fa8))]
    {
        assert_eq!(AttestationCall::decode(&call.encode()), Ok(call));
        // The structure would cross the end of the page.
        let registers = CallRegisters { rcx: call.encode().rcx + 8, ..call.encode() };
        assert_eq!(AttestationCall::decode(&registers), Err(ResultCode::INVALID_PARAMETER));
        let registers = CallRegisters { rcx: 0x1004, ..call.encode() };
        assert_eq!(AttestationCall::decode(&registers), Err(ResultCode::INVALID_PARAMETER));
    }
    let unknown = CallRegisters { rax: 1 << 32 | 2, ..Default::default() };
    assert_eq!(AttestationCall::decode(&unknown), Err(ResultCode::UNSUPPORTED_CALL));
    assert_eq!(AttestationCallNumber(1).to_string(), "SVSM_ATTEST_SINGLE_SERVICE");
    let mut registers = CallRegisters { r9: 1, ..Default::default() };
    let lengths = Lengths { manifest: 2, certificates: 3, report: 4 };
    lengths.encode(&mut registers);
    assert_eq!(registers, CallRegisters { rax: 0, rcx: 2, rdx: 3, r8: 4, r9: 1 });
    assert_eq!(Lengths::decode(&registers), lengths);
}

#[test]
fn requests_for_all_services() {
    let expected = ReportRequest {
        report: Buffer { page: page(1), length: 4096 },
        nonce: Nonce { page: page(2), offset: 0xfc0, length: 64 },
        manifest: Buffer { page: page(3), length: 5000 },
        certificates: Some(Buffer { page: page(5), length: 0x4000 }),
    };
    assert_eq!(request().decode(), Ok(expected));
    let without = ServicesRequest {
        certificates: Location { address: 1, length: 0, reserved: 0 },
        ..request()
    };
    assert_eq!(without.decode(), Ok(ReportRequest { certificates: None, ..expected }));
}

#[test]
fn requests_that_make_no_sense() {
    let refused = |change: fn(&mut ServicesRequest)| {
        let mut request = request();
        change(&mut request);
        assert_eq!(request.decode(), Err(ResultCode::INVALID_PARAMETER), "{request:x?}");
    };
    refused(|request| request.report.address += 8);
    refused(|request| request.manifest.address += 1);
    refused(|request| request.certificates.address -= 1);
    refused(|request| request.nonce.length = 0);
    refused(|request| request.nonce.length = 65);
    refused(|request| request.nonce.length = 0x1_0000);
    refused(|request| request.report.reserved = 1);
    refused(|request| request.nonce.reserved = 0x100);
    refused(|request| request.manifest.reserved = 1 << 31);
    refused(|request| {
        request.certificates = Location { address: 0, length: 0, reserved: 1 };
    });
    let buffers = request();
    let service = VTPM_SERVICE.to_bytes_le();
    let single = SingleServiceRequest { buffers, service, version: 7, reserved: 0 };
    let choice = ServiceChoice { service: VTPM_SERVICE, version: 7 };
    assert_eq!(single.decode(), Ok((buffers.decode().unwrap(), choice)));
    let reserved = SingleServiceRequest { reserved: 1, ..single };
    assert_eq!(reserved.decode(), Err(ResultCode::INVALID_PARAMETER));
}

#[test]
fn guids_stand_in_the_byte_order_of_uefi() {
    let bytes = ManifestHeader::new(24, 0);
    assert_eq!(bytes.as_bytes()[..8], [0xbb, 0x9e, 0x84, 0x63, 0x92, 0x3d, 0x70, 0x46]);
    let table = ManifestTable::parse(bytes.as_bytes()).unwrap();
    assert_eq!(table.services().count(), 0);
}

#[test]
fn tables() {
    let mut bytes: Vec<u8> = Vec::new();
    bytes.extend_from_slice(ManifestHeader::new(53, 1).as_bytes());
    bytes.extend_from_slice(ManifestEntry::new(VTPM_SERVICE, 48, 5).as_bytes());
    bytes.extend_from_slice(b"hello and more");
    let table = ManifestTable::parse(&bytes).unwrap();
    assert_eq!(table.services().collect::<Vec<_>>(), [(VTPM_SERVICE, &b"hello"[..])]);

    assert_eq!(ManifestTable::parse(&bytes[..52]).err(), Some(ManifestError::TooLong));
    assert_eq!(ManifestTable::parse(&bytes[..23]).err(), Some(ManifestError::NoTable));
    let change = |at: usize, byte: u8| {
        let mut bytes = bytes.clone();
        bytes[at] = byte;
        ManifestTable::parse(&bytes).err()
    };
    assert_eq!(change(0, 0), Some(ManifestError::NoTable));
    assert_eq!(change(16, 20), Some(ManifestError::TooLong), "shorter than its header");
    assert_eq!(change(20, 2), Some(ManifestError::TooLong), "entries");
    assert_eq!(change(43, 0xff), Some(ManifestError::Outside(0)), "offset");
    assert_eq!(change(44, 6), Some(ManifestError::Outside(0)), "size");
}

proptest! {
    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut table = ManifestHeader::new(bytes.len() as u32, 3).as_bytes().to_vec();
        table.extend_from_slice(&bytes);
        if let Ok(table) = ManifestTable::parse(&table) {
            prop_assert_eq!(table.services().count(), 3);
        }
        let mut request = SingleServiceRequest::new_zeroed();
        let length = bytes.len().min(request.as_bytes().len());
        request.as_mut_bytes()[..length].copy_from_slice(&bytes[..length]);
        if let Ok((decoded, _)) = request.decode() {
            prop_assert!(decoded.nonce.offset + decoded.nonce.length <= 4096);
        }

    }
}
