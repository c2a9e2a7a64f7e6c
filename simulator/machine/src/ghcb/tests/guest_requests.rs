//! Messages to the security processor.

use alloc::vec;

use abi_snp::MessageType;
use abi_snp::ghcb::{
    ExitCode, GuestFrame, GuestRequestStatus, MalformedInput, NaeError, SaveArea, ValidFields,
};

use crate::ghcb::fake_host::Access;
use crate::ghcb::test_guest::TestGuest;

const REQUEST: u64 = 0x5000;
const RESPONSE: u64 = 0x6000;
const CERTIFICATES: u64 = 0x8000;
const STATUS: ValidFields = ValidFields::EXIT_INFO_2;
const INVALID: NaeError = NaeError::Refused(MalformedInput::INVALID_INPUT);

fn plain(request: u64, response: u64) -> SaveArea {
    SaveArea::request(ExitCode::SNP_GUEST_REQUEST.0, request, response)
}

fn extended(place: u64, pages: u64) -> SaveArea {
    let words = SaveArea::request(ExitCode::SNP_EXTENDED_GUEST_REQUEST.0, REQUEST, RESPONSE);
    SaveArea { rax: Some(place), rbx: Some(pages), ..words }
}

fn passed_on() -> [Access; 1] {
    let frame = |gpa| GuestFrame::at(gpa).unwrap();
    [Access::GuestRequest(frame(REQUEST), frame(RESPONSE))]
}

/// A guest whose request page holds a message of this type.
fn guest(kind: MessageType) -> TestGuest {
    let mut guest = TestGuest::new();
    guest.host.bytes_mut(REQUEST + 0x34, 1)[0] = kind.0;
    guest.host.certificates = vec![0xce; 0x1001];
    guest
}

#[test]
fn a_message_is_passed_on_and_its_status_comes_back() {
    let mut guest = TestGuest::new();
    for (hypervisor_error, code) in [(0, 0), (0, 0x16), (GuestRequestStatus::BUSY, 0)] {
        let status =
            GuestRequestStatus { hypervisor_error, firmware_status: abi_snp::FirmwareStatus(code) };
        guest.host.status = status;
        let outputs = guest.outputs(plain(REQUEST, RESPONSE), STATUS).unwrap();
        assert_eq!(GuestRequestStatus::decode(outputs.exit_info_2), status);
        assert_eq!(guest.host.take_accesses(), passed_on());
    }
}

#[test]
fn messages_are_in_two_shared_pages() {
    let mut guest = TestGuest::new();
    guest.host.shared.remove(&9);
    for (request, response) in [
        (REQUEST, REQUEST),
        (REQUEST + 8, RESPONSE),
        (REQUEST, RESPONSE + 8),
        (0x9000, RESPONSE),
        (REQUEST, 0x9000),
        (1 << 51, RESPONSE),
        (REQUEST, u64::MAX - 0xfff),
    ] {
        assert_eq!(guest.outputs(plain(request, response), STATUS), Err(INVALID));
    }
    assert_eq!(guest.host.take_accesses(), []);
}

#[test]
fn certificates_come_with_a_report() {
    let mut guest = guest(MessageType::REPORT_REQUEST);
    let outputs = guest.outputs(extended(CERTIFICATES, 2), STATUS).unwrap();
    assert_eq!(GuestRequestStatus::decode(outputs.exit_info_2), GuestRequestStatus::SUCCESS);
    assert_eq!(guest.host.take_accesses(), passed_on());
    assert_eq!(guest.host.bytes(CERTIFICATES, 0x1001), [0xce; 0x1001]);
    assert_eq!(guest.host.bytes(CERTIFICATES + 0x1001, 1), [0]);
}

#[test]
fn too_few_pages_are_told_and_nothing_is_passed_on() {
    let mut guest = guest(MessageType::REPORT_REQUEST);
    for pages in [0, 1] {
        let outputs =
            guest.outputs(extended(CERTIFICATES, pages), STATUS | ValidFields::RBX).unwrap();
        let status = GuestRequestStatus::decode(outputs.exit_info_2);
        assert_eq!(status.hypervisor_error, GuestRequestStatus::INVALID_LENGTH);
        assert_eq!(outputs.rbx, 2);
    }
    assert_eq!(guest.host.take_accesses(), []);
}

#[test]
fn without_certificates_no_pages_are_needed() {
    let mut guest = guest(MessageType::REPORT_REQUEST);
    guest.host.certificates.clear();
    guest.outputs(extended(CERTIFICATES, 0), STATUS).unwrap();
    assert_eq!(guest.host.take_accesses(), passed_on());
}

#[test]
fn other_messages_come_without_certificates() {
    let mut guest = guest(MessageType::KEY_REQUEST);
    guest.outputs(extended(CERTIFICATES, 0), STATUS).unwrap();
    assert_eq!(guest.host.take_accesses(), passed_on());
    assert_eq!(guest.host.bytes(CERTIFICATES, 1), [0]);
}

#[test]
fn certificates_go_to_shared_pages() {
    let mut guest = guest(MessageType::REPORT_REQUEST);
    guest.host.shared.remove(&9);
    for place in [CERTIFICATES, CERTIFICATES + 1, 0x9000, 1 << 51, u64::MAX] {
        assert_eq!(guest.outputs(extended(place, u64::MAX), STATUS), Err(INVALID));
    }
    assert_eq!(guest.host.take_accesses(), []);
}
