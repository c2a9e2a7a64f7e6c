//! Requests by the GHCB MSR.

use abi_snp::PageSize;
use abi_snp::Vmpl;
use abi_snp::ghcb::{
    AskCpuid, AskHypervisorFeatures, AskPreferredGhcb, AskSevInformation, AssignPage,
    CpuidRegister, GuestFrame, HypervisorFeatures, MsrCallFault, MsrDecodeError, MsrOperation,
    MsrRequest, PageAssignment, PageOperation, ReasonSet, RegisterGhcb, RunVmpl, TerminationReason,
};

use crate::cpuid::CpuidQuery;
use crate::ghcb::answer::{Next, Stop};
use crate::ghcb::configuration::{Configuration, NotServed};
use crate::ghcb::counts::{Count, EventKind};
use crate::ghcb::fake_host::Access;
use crate::ghcb::test_guest::{INFORMATION, TestGuest};

#[test]
fn the_server_tells_about_itself() {
    let mut guest = TestGuest::new();
    let information = guest.call(AskSevInformation).unwrap();
    assert_eq!(information, INFORMATION);
    assert_eq!(information.newest_common_version(2..=2), Some(2));
    assert_eq!(guest.call(AskHypervisorFeatures), Ok(Configuration::SERVED));
    assert_eq!(guest.call(AskPreferredGhcb), Ok(None));
}

#[test]
fn a_new_processor_finds_the_information_in_its_register() {
    let guest = TestGuest::unregistered(Configuration::SERVED);
    let context = guest.server.processors().context(guest.processor).unwrap();
    assert_eq!(context.ghcb_msr, 0x0002_0001_3300_0001);
}

#[test]
fn what_is_not_served_cannot_be_offered() {
    let timer = HypervisorFeatures::RESTRICTED_INJECTION_TIMER;
    assert_eq!(Configuration::new(timer, INFORMATION), Err(NotServed(timer)));
    let only_snp = HypervisorFeatures::SNP;
    let mut guest = TestGuest::with_features(only_snp);
    assert_eq!(guest.call(AskHypervisorFeatures), Ok(only_snp));
}

#[test]
fn each_register_of_cpuid() {
    let mut guest = TestGuest::new();
    let function = 0x8000_001f;
    for (register, value) in
        CpuidRegister::ALL.into_iter().zip([function, 0, !function, 0x8000_0001])
    {
        assert_eq!(guest.call(AskCpuid { function, register }), Ok(value));
        let query = CpuidQuery::new(function, 0);
        assert_eq!(guest.host.take_accesses(), [Access::Cpuid(0, query)]);
    }
}

#[test]
fn the_page_that_is_registered_comes_back() {
    let mut guest = TestGuest::unregistered(Configuration::SERVED);
    let frame = GuestFrame::at(0x5000).unwrap();
    assert_eq!(guest.call(RegisterGhcb(frame)), Ok(()));
    let context = guest.server.processors().context(guest.processor).unwrap();
    assert_eq!(context.registered_ghcb, Some(frame));
}

#[test]
fn pages_change_their_state() {
    let mut guest = TestGuest::new();
    let frame = GuestFrame::at(0x7000).unwrap();
    for (assignment, operation) in [
        (PageAssignment::Private, PageOperation::Private),
        (PageAssignment::Shared, PageOperation::Shared),
    ] {
        assert_eq!(guest.call(AssignPage { frame, assignment }), Ok(()));
        let access = Access::PageState(frame, PageSize::Size4K, operation);
        assert_eq!(guest.host.take_accesses(), [access]);
    }
}

#[test]
fn a_page_that_does_not_change_is_an_error() {
    let mut guest = TestGuest::new();
    let frame = GuestFrame::at(0x7000).unwrap();
    guest.host.stubborn.insert(7);
    let error = guest.call(AssignPage { frame, assignment: PageAssignment::Private }).unwrap_err();
    assert_eq!(error.fault, MsrCallFault::RefusedWith(1));
    let kind = EventKind::Msr(MsrOperation::PAGE_STATE_REQUEST);
    assert_eq!(guest.server.counts().count(kind), Count { requests: 1, refused: 1 });
}

#[test]
fn levels_that_are_not_there_or_not_offered_do_not_run() {
    for features in [Configuration::SERVED, HypervisorFeatures::SNP] {
        let mut guest = TestGuest::with_features(features);
        let error = guest.call(RunVmpl(Vmpl::Vmpl2)).unwrap_err();
        assert_eq!(error.fault, MsrCallFault::RefusedWith(1));
    }
}

#[test]
fn a_guest_can_end_itself() {
    let mut guest = TestGuest::new();
    let reason = TerminationReason::new(ReasonSet::LINUX, 3);
    let answer = guest.exit(MsrRequest::Terminate(reason).encode());
    assert_eq!(answer.next, Next::Stop(Stop::Terminated(reason)));
    let kind = EventKind::of_msr(MsrOperation::TERMINATION_REQUEST);
    let count = guest.server.counts().count(kind);
    assert_eq!(count, Count { requests: 1, refused: 0 });
}

#[test]
fn what_is_no_request_ends_the_guest() {
    let mut guest = TestGuest::new();
    for value in [0x001, 0x017, 0x0f00, 0x1002, 0x00f0_0000_0000_0014, u64::MAX] {
        let Next::Stop(Stop::UndefinedRequest { value: told, error }) = guest.exit(value).next
        else {
            panic!("{value:#x} was served");
        };
        assert_eq!(told, value);
        assert_eq!(MsrRequest::decode(value), Err(error));
    }
    let unknown = guest.server.counts().count(EventKind::UnknownMsr);
    assert_eq!(unknown, Count { requests: 2, refused: 2 });
    let error = MsrDecodeError::NotARequest(MsrOperation(0xf00));
    let stop = Stop::UndefinedRequest { value: 0xf00, error };
    assert_eq!(guest.exit(0xf00).next, Next::Stop(stop));
}
