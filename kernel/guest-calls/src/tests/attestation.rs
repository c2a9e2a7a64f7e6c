//! Reports: what they are bound to, and buffers of all lengths.

extern crate std;

use std::vec::Vec;

use abi_snp::AttestationReport;
use abi_svsm::attestation::{
    AttestationCall, Lengths, Location, ManifestTable, ServicesRequest, SingleServiceRequest,
    VTPM_SERVICE,
};
use abi_svsm::{CallRegisters, CallingArea, GuestPage, ListAddress, ResultCode};
use sha2::{Digest, Sha512};
use uuid::Uuid;
use zerocopy::{FromBytes, IntoBytes};

use super::guest::{Guest, page};
use super::model::{self, Operation};
use crate::reports::{ReportFailure, ServiceManifest};

const REPORT: u64 = model::FREE.start;
const NONCE: u64 = model::FREE.start + 1;
const MANIFEST: u64 = model::FREE.start + 2;
const CERTIFICATES: u64 = model::FREE.start + 4;
const OTHER_SERVICE: Uuid = Uuid::from_u128(0x1234);
const REPORT_SIZE: u64 = size_of::<AttestationReport>() as u64;
const SUCCESS: ResultCode = ResultCode::SUCCESS;
const PARAMETER: ResultCode = ResultCode::INVALID_PARAMETER;

/// Two services, one of them with two versions, and one manifest that is longer
/// than a page.
fn services() -> Vec<ServiceManifest<'static>> {
    static LONG: [u8; 5000] = [7; 5000];
    [
        ServiceManifest { service: VTPM_SERVICE, version: 0, bytes: b"the key" },
        ServiceManifest { service: VTPM_SERVICE, version: 1, bytes: b"more about the key" },
        ServiceManifest { service: OTHER_SERVICE, version: 0, bytes: &LONG },
    ]
    .into()
}

fn request() -> ServicesRequest {
    ServicesRequest {
        report: Location::at(page(REPORT), 4096),
        nonce: Location { address: NONCE << 12 | 0xfc0, length: 64, reserved: 0 },
        manifest: Location::at(page(MANIFEST), 8192),
        certificates: Location::at(page(CERTIFICATES), 0x4000),
    }
}

/// The structure lies behind the calling area, where Linux has it.
fn at() -> ListAddress {
    let offset = CallingArea::BUFFER_OFFSET;
    ListAddress::at(model::CALLING_AREA << 12 | offset as u64).unwrap()
}

fn ask(guest: &Guest, call: AttestationCall, request: &[u8]) -> (ResultCode, CallRegisters) {
    guest.model().with(|state| {
        state.write(model::CALLING_AREA, CallingArea::BUFFER_OFFSET, request);
        state.write(NONCE, 0xfc0, &[9; 64]);
    });
    let registers = CallRegisters { rdx: u64::MAX, r8: u64::MAX, ..call.encode() };
    let after = guest.call_with(registers);
    (ResultCode::from_rax(after.rax), after)
}

fn services_call(guest: &Guest, request: ServicesRequest) -> (ResultCode, CallRegisters) {
    ask(guest, AttestationCall::Services(at()), request.as_bytes())
}

fn single_call(guest: &Guest, service: Uuid, version: u32) -> (ResultCode, CallRegisters) {
    let request = SingleServiceRequest {
        buffers: request(),
        service: service.to_bytes_le(),
        version,
        reserved: 0,
    };
    ask(guest, AttestationCall::SingleService(at()), request.as_bytes())
}

fn bytes(guest: &Guest, page: u64, count: u64) -> Vec<u8> {
    let place = |at: u64| (page + at / 4096, (at % 4096) as usize);
    guest.model().with(|state| {
        (0..count).map(place).map(|(page, offset)| state.read(page, offset)).collect()
    })
}

/// Whether the report in memory is bound to the nonce and this manifest.
fn is_bound(guest: &Guest, manifest: &[u8]) -> bool {
    let report = bytes(guest, REPORT, REPORT_SIZE);
    let report = AttestationReport::read_from_bytes(&report).unwrap();
    let digest = Sha512::new().chain_update([9; 64]).chain_update(manifest).finalize();
    report.report_data[..] == digest[..]
}

#[test]
fn all_services() {
    let guest = Guest::with_services(services());
    guest.model().with(|state| state.certificates = (0..0x3000).map(|at| at as u8).collect());
    let (result, registers) = services_call(&guest, request());
    let size = 24 + 2 * 24 + 7 + 5000;
    let lengths = Lengths { manifest: size, certificates: 0x3000, report: REPORT_SIZE };
    assert_eq!((result, Lengths::decode(&registers)), (SUCCESS, lengths));
    let manifest = bytes(&guest, MANIFEST, size);
    let table = ManifestTable::parse(&manifest).unwrap();
    let found: Vec<_> = table.services().map(|(uuid, bytes)| (uuid, bytes.len())).collect();
    assert_eq!(found, [(VTPM_SERVICE, 7), (OTHER_SERVICE, 5000)]);
    assert!(is_bound(&guest, &manifest));
    assert_eq!(bytes(&guest, CERTIFICATES, 0x3000)[0x2fff], 0xff);
}

#[test]
fn no_services_and_no_certificates() {
    let guest = Guest::new();
    guest.model().with(|state| state.certificates = [1].into());
    let without = ServicesRequest { certificates: Location::at(page(0), 0), ..request() };
    let (result, registers) = services_call(&guest, without);
    let lengths = Lengths { manifest: 24, certificates: 0, report: REPORT_SIZE };
    assert_eq!((result, Lengths::decode(&registers)), (SUCCESS, lengths));
    let manifest = bytes(&guest, MANIFEST, 24);
    assert_eq!(ManifestTable::parse(&manifest).unwrap().services().count(), 0);
    assert!(is_bound(&guest, &manifest));
    assert!(!is_bound(&guest, &[]));
}

#[test]
fn one_service() {
    let guest = Guest::with_services(services());
    for (version, text) in [(0, &b"the key"[..]), (1, b"more about the key")] {
        let (result, registers) = single_call(&guest, VTPM_SERVICE, version);
        assert_eq!((result, registers.rcx), (SUCCESS, text.len() as u64));
        assert_eq!(bytes(&guest, MANIFEST, text.len() as u64), text);
        assert!(is_bound(&guest, text));
    }
    for (service, version) in [(VTPM_SERVICE, 2), (OTHER_SERVICE, 1), (Uuid::nil(), 0)] {
        let (result, registers) = single_call(&guest, service, version);
        assert_eq!((result, registers.rdx, registers.r8), (PARAMETER, u64::MAX, u64::MAX));
    }
}

#[test]
fn short_buffers_are_told_all_lengths() {
    let guest = Guest::with_services(services());
    guest.model().with(|state| state.certificates = [1; 100].into());
    let lengths = Lengths { manifest: 5079, certificates: 100, report: REPORT_SIZE };
    let short = |page_number, length| Location::at(page(page_number), length);
    for request in [
        ServicesRequest { report: short(REPORT, REPORT_SIZE as u32 - 1), ..request() },
        ServicesRequest { report: short(REPORT, 0), ..request() },
        ServicesRequest { manifest: short(MANIFEST, 5078), ..request() },
        ServicesRequest { certificates: short(CERTIFICATES, 99), ..request() },
    ] {
        let (result, registers) = services_call(&guest, request);
        assert_eq!((result, Lengths::decode(&registers)), (PARAMETER, lengths));
        assert_eq!(bytes(&guest, REPORT, 1), [0], "nothing is written");
    }
    let exact = ServicesRequest {
        report: short(REPORT, REPORT_SIZE as u32),
        manifest: short(MANIFEST, 5079),
        certificates: short(CERTIFICATES, 100),
        ..request()
    };
    assert_eq!(services_call(&guest, exact).0, SUCCESS);
}

#[test]
fn buffers_that_a_guest_must_not_name() {
    let guest = Guest::with_services(services());
    for foreign in [
        model::MODULES.start,
        model::SAVE_AREA,
        model::MODULES_SAVE_AREA,
        model::SHARED.start,
        model::UNVALIDATED.start,
        model::ABSENT.start,
        model::END,
        model::CALLING_AREA,
        GuestPage::containing(u64::MAX).number(),
    ] {
        for request in [
            ServicesRequest { report: Location::at(page(foreign), 4096), ..request() },
            ServicesRequest { manifest: Location::at(page(foreign), 8192), ..request() },
        ] {
            let (result, registers) = services_call(&guest, request);
            assert_eq!(result, ResultCode::INVALID_ADDRESS, "{foreign:#x}");
            assert_eq!((registers.rdx, registers.r8), (u64::MAX, u64::MAX));
        }
        if foreign != model::CALLING_AREA {
            let nonce = Location::at(page(foreign), 64);
            let (result, _) = services_call(&guest, ServicesRequest { nonce, ..request() });
            assert_eq!(result, ResultCode::INVALID_ADDRESS, "{foreign:#x}");
            let call = AttestationCall::Services(ListAddress::at(foreign << 12).unwrap());
            let (result, _) = ask(&guest, call, request().as_bytes());
            assert_eq!(result, ResultCode::INVALID_ADDRESS, "{foreign:#x}");
        }
    }
    // A buffer whose end wraps around, and one that ends in foreign pages.
    let last = GuestPage::containing(u64::MAX);
    for buffer in [last, page(model::MODULES.start - 1)] {
        let manifest = Location::at(buffer, 8192);
        let (result, _) = services_call(&guest, ServicesRequest { manifest, ..request() });
        assert_eq!(result, ResultCode::INVALID_ADDRESS);
    }
}

#[test]
fn no_report() {
    let guest = Guest::new();
    for (failure, code) in [
        (ReportFailure::Busy, ResultCode::BUSY),
        (ReportFailure::Refused, ResultCode::INVALID_REQUEST),
    ] {
        guest.model().with(|state| state.report_failure = Some(failure));
        let (result, registers) = services_call(&guest, request());
        assert_eq!((result, registers.r8), (code, u64::MAX));
    }
    guest.model().with(|state| state.failures.insert(Operation::Write, None));
    assert_eq!(services_call(&guest, request()).0, ResultCode::INVALID_ADDRESS);
    assert_eq!(services_call(&guest, request()).0, SUCCESS);
    let unknown = CallRegisters { rax: 1 << 32 | 2, ..CallRegisters::default() };
    let result = ResultCode::from_rax(guest.call_with(unknown).rax);
    assert_eq!(result, ResultCode::UNSUPPORTED_CALL);
}
