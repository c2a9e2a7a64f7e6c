//! What a well-behaved guest sees.

use abi_svsm::core_protocol::{CoreCall, ProtocolQuery, ProtocolVersions, VtomRequest};
use abi_svsm::{CallId, CallRegisters, Protocol, ResultCode};

use super::guest::{Guest, page};
use super::model;
use crate::level::GUESTS;
use crate::machine::EntryRight;
use crate::serve::Served;
use page_state::PageState;

#[test]
fn protocols() {
    let guest = Guest::new();
    let versions = |protocol, version| {
        let query = CoreCall::QueryProtocol(ProtocolQuery { protocol, version });
        let registers = guest.call_with(query.encode());
        assert_eq!(ResultCode::from_rax(registers.rax), ResultCode::SUCCESS);
        ProtocolVersions::decode_answer(registers.rcx)
    };
    assert_eq!(versions(Protocol::CORE, 1), Some(ProtocolVersions::only(1)));
    assert_eq!(versions(Protocol::CORE, 2), None);
    assert_eq!(versions(Protocol::CORE, 0), None);
    assert_eq!(versions(Protocol::ATTESTATION, 1), Some(ProtocolVersions::only(1)));
    for protocol in [Protocol::VTPM, Protocol::APIC, Protocol::UEFI_MM, Protocol(u32::MAX)] {
        assert_eq!(versions(protocol, 1), None, "{protocol}");
    }
}

#[test]
fn no_virtual_top_of_memory() {
    let guest = Guest::new();
    let query = CoreCall::ConfigureVtom(VtomRequest::Query).encode();
    let registers = guest.call_with(CallRegisters { rdx: 5, r8: 6, ..query });
    assert_eq!(registers, CallRegisters { rax: 0, rcx: 0, rdx: 5, r8: 6, r9: 0 });
}

#[test]
fn pages_come_and_go() {
    let guest = Guest::new();
    let (small, large) = (model::UNVALIDATED.start, model::UNVALIDATED_CHUNK);
    let words = [small << 12 | 4, large << 12 | 5];
    assert_eq!(guest.validate(&words), (ResultCode::SUCCESS, 2));
    assert_eq!(guest.state(small), GUESTS);
    assert_eq!(guest.state(large + 511), GUESTS);
    guest.model().with(|state| {
        assert!(state.pages[small as usize].is_permitted);
        assert!(state.pages[large as usize + 100].is_permitted);
        assert_eq!(state.cleared, 513);
    });
    let words = [large << 12 | 1, small << 12];
    assert_eq!(guest.validate(&words), (ResultCode::SUCCESS, 2));
    assert_eq!(guest.state(small), PageState::Unvalidated);
    assert_eq!(guest.state(large), PageState::Unvalidated);
    assert!(!guest.model().with(|state| state.pages[small as usize].is_validated));
}

#[test]
fn calling_area_moves() {
    let guest = Guest::new();
    guest.model().with(|state| state.write(model::FREE.start, 0, &[1, 7]));
    let calling_area = page(model::FREE.start);
    assert_eq!(guest.call(CoreCall::RemapCallingArea { calling_area }), ResultCode::SUCCESS);
    guest.model().with(|state| {
        assert_eq!(state.read(model::FREE.start, 0), 0, "no call is announced there");
        assert_eq!(state.read(model::FREE.start, 1), 7);
    });
    // The old one is a page like others again, the new one is not.
    let rescind = |page: u64| guest.validate(&[page << 12]).0;
    assert_eq!(rescind(model::FREE.start), ResultCode::INVALID_ADDRESS);
    assert_eq!(rescind(model::CALLING_AREA), ResultCode::SUCCESS);
    assert_eq!(guest.call(CoreCall::RemapCallingArea { calling_area }), ResultCode::SUCCESS);
}

#[test]
fn spurious_runs_change_nothing() {
    let guest = Guest::new();
    let registers = CallRegisters { rax: 6, rcx: 1, ..CallRegisters::default() };
    guest.announce(model::SAVE_AREA, model::CALLING_AREA, registers);
    guest.model().with(|state| state.write(model::CALLING_AREA, 0, &[0]));
    assert_eq!(guest.calls.serve(0), Served::NoCall);
    assert_eq!(guest.registers(model::SAVE_AREA), registers);

    // Not at VMGEXIT: an interrupt between the announcement and it.
    guest.announce(model::SAVE_AREA, model::CALLING_AREA, registers);
    guest.model().with(|state| {
        state.save_areas.get_mut(&model::SAVE_AREA).unwrap().exit_code = 0x60;
    });
    assert_eq!(guest.calls.serve(0), Served::NoCall);
    guest.model().with(|state| {
        assert_eq!(state.read(model::CALLING_AREA, 0), 1, "the call is still announced");
        assert_eq!(state.save_areas[&model::SAVE_AREA].right, EntryRight::Allowed);
    });
    assert_eq!(guest.calls.serve(1), Served::NoVcpu);
}

#[test]
fn reserved_announcements_and_unknown_calls() {
    let guest = Guest::new();
    guest.announce(model::SAVE_AREA, model::CALLING_AREA, CallRegisters::default());
    guest.model().with(|state| state.write(model::CALLING_AREA, 0, &[2]));
    let call = CallId { protocol: Protocol::CORE, call: 0 };
    let result = ResultCode::INVALID_FORMAT;
    assert_eq!(guest.calls.serve(0), Served::Answered { call, result });

    for (rax, result) in [
        (8, ResultCode::UNSUPPORTED_CALL),
        (u64::from(u32::MAX), ResultCode::UNSUPPORTED_CALL),
        (2 << 32, ResultCode::UNSUPPORTED_PROTOCOL),
        (3 << 32 | 5, ResultCode::UNSUPPORTED_PROTOCOL),
        (0x8000_0000 << 32, ResultCode::UNSUPPORTED_PROTOCOL),
        (u64::MAX, ResultCode::UNSUPPORTED_PROTOCOL),
    ] {
        let registers = guest.call_with(CallRegisters { rax, rcx: 9, ..Default::default() });
        assert_eq!(ResultCode::from_rax(registers.rax), result, "{rax:#x}");
        assert_eq!(registers.rcx, 9);
    }
}

#[test]
fn what_the_host_takes_away() {
    let guest = Guest::new();
    guest.announce(model::SAVE_AREA, model::CALLING_AREA, CallRegisters::default());
    guest.model().with(|state| state.save_areas.remove(&model::SAVE_AREA));
    assert_eq!(guest.calls.serve(0), Served::SaveAreaLost);
}
