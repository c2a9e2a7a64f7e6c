//! What all requests by the page have in common.

use abi_snp::ghcb::{
    ExitCode, Ghcb, GuestFrame, HypervisorFeatures, MalformedInput, MsrRequest, NaeError,
    NaeOutputs, SaveArea, ValidFields,
};

use crate::ghcb::answer::{Next, Stop};
use crate::ghcb::configuration::Configuration;
use crate::ghcb::counts::{Count, EventKind};
use crate::ghcb::test_guest::TestGuest;

const NOTHING: ValidFields = ValidFields::empty();

fn rdtsc() -> SaveArea {
    SaveArea::request(ExitCode::RDTSC.0, 0, 0)
}

fn refused(reason: MalformedInput) -> Result<NaeOutputs, NaeError> {
    Err(NaeError::Refused(reason))
}

#[test]
fn only_the_registered_page_is_served() {
    let mut guest = TestGuest::unregistered(Configuration::SERVED);
    assert_eq!(guest.outputs(rdtsc(), NOTHING), refused(MalformedInput::NOT_REGISTERED));
    guest.register();
    assert!(guest.outputs(rdtsc(), ValidFields::RAX | ValidFields::RDX).is_ok());
    guest.ghcb = GuestFrame::at(0x4000).unwrap();
    assert_eq!(guest.outputs(rdtsc(), NOTHING), refused(MalformedInput::NOT_REGISTERED));
}

#[test]
fn a_page_that_is_not_shared_memory_cannot_be_answered() {
    let mut guest = TestGuest::new();
    guest.prepare(&rdtsc());
    guest.host.shared.remove(&guest.ghcb.number());
    let nowhere = GuestFrame::at(0x100_0000).unwrap();
    for frame in [guest.ghcb, nowhere] {
        let answer = guest.exit(MsrRequest::Ghcb(frame).encode());
        assert_eq!(answer.next, Next::Stop(Stop::InaccessibleGhcb(frame)));
    }
}

#[test]
fn other_usages_are_not_known() {
    let mut guest = TestGuest::new();
    guest.prepare(&rdtsc());
    guest.host.bytes_mut(guest.ghcb.address() + Ghcb::USAGE_OFFSET as u64, 4)[3] = 1;
    assert_eq!(guest.exit_by_page().next, Next::Resume);
    let answer = NaeOutputs::check(&guest.page(), NOTHING);
    assert_eq!(answer, refused(MalformedInput::INVALID_USAGE));
}

#[test]
fn missing_words_and_registers_are_told() {
    let mut guest = TestGuest::new();
    let missing = refused(MalformedInput::MISSING_INPUT);
    for request in [
        SaveArea::default(),
        SaveArea { exit_code: None, ..rdtsc() },
        SaveArea { exit_info_1: None, ..rdtsc() },
        SaveArea { exit_info_2: None, ..rdtsc() },
        SaveArea::request(ExitCode::CPUID.0, 0, 0),
        SaveArea::request(ExitCode::MMIO_READ.0, 0, 0),
    ] {
        assert_eq!(guest.outputs(request, NOTHING), missing);
    }
}

#[test]
fn unknown_events_are_told() {
    let mut guest = TestGuest::new();
    for code in [0, 0x400, 0x404, 0x8000_0016, 0x8000_0019, 0x8000_001a, u64::MAX] {
        let request = SaveArea::request(code, 0, 0);
        let invalid = refused(MalformedInput::INVALID_EVENT);
        assert_eq!(guest.outputs(request, NOTHING), invalid, "{code:#x}");
    }
    let unknown = guest.server.counts().count(EventKind::UnknownPage);
    assert_eq!(unknown, Count { requests: 3, refused: 3 });
}

#[test]
fn events_exist_only_with_their_feature() {
    let full = SaveArea { rax: Some(0), rbx: Some(0), scratch: Some(0), ..SaveArea::default() };
    for (code, feature) in [
        (ExitCode::SNP_PAGE_STATE_CHANGE, HypervisorFeatures::SNP),
        (ExitCode::SNP_GUEST_REQUEST, HypervisorFeatures::SNP),
        (ExitCode::SNP_EXTENDED_GUEST_REQUEST, HypervisorFeatures::SNP),
        (ExitCode::SNP_AP_CREATION, HypervisorFeatures::AP_CREATION),
        (ExitCode::HV_DOORBELL_PAGE, HypervisorFeatures::RESTRICTED_INJECTION),
        (ExitCode::HV_IPI, HypervisorFeatures::RESTRICTED_INJECTION),
        (ExitCode::GET_APIC_IDS, HypervisorFeatures::APIC_ID_LIST),
        (ExitCode::SNP_RUN_VMPL, HypervisorFeatures::MULTI_VMPL),
    ] {
        let words = SaveArea::request(code.0, 0, 0);
        let request = SaveArea {
            exit_code: words.exit_code,
            exit_info_1: words.exit_info_1,
            exit_info_2: words.exit_info_2,
            ..full
        };
        let mut without = TestGuest::with_features(Configuration::SERVED - feature);
        let answer = NaeOutputs::check(&without.ask(request), NOTHING);
        assert_eq!(answer, refused(MalformedInput::INVALID_EVENT), "{code}");
        let mut with = TestGuest::new();
        let answer = NaeOutputs::check(&with.ask(request), NOTHING);
        assert_ne!(answer, refused(MalformedInput::INVALID_EVENT), "{code}");
    }
}
