//! Virtual processors: made, used, deleted.

use abi_snp::{ReturnCode, SevFeatures};
use abi_svsm::core_protocol::CoreCall;
use abi_svsm::{CallRegisters, ResultCode};
use abi_x86::Efer;
use page_state::PageState;

use super::guest::{APIC_IDS, Guest, VCPUS, page};
use super::model::{self, Operation, SaveArea};
use crate::level::GUESTS;
use crate::machine::EntryRight;
use crate::registry::Current;
use crate::serve::Served;

const NEW: u64 = model::FREE.start;
const AREA: u64 = model::SECOND_CALLING_AREA;
const SUCCESS: ResultCode = ResultCode::SUCCESS;
const QUERY: CallRegisters = CallRegisters { rax: 6, rcx: 1, rdx: 0, r8: 0, r9: 0 };

fn guest_with_second() -> Guest {
    let guest = Guest::new();
    assert_eq!(guest.create(NEW, AREA, APIC_IDS[1]), SUCCESS);
    guest
}

#[test]
fn a_second_processor_calls() {
    let guest = guest_with_second();
    assert_eq!(guest.state(NEW), PageState::SaveArea);
    guest.announce(NEW, AREA, QUERY);
    assert!(matches!(guest.calls.serve(1), Served::Answered { result: SUCCESS, .. }));
    assert_eq!(guest.registers(NEW).rcx, 1 << 32 | 1);
    assert_eq!(guest.delete(NEW), SUCCESS);
    assert_eq!(guest.state(NEW), GUESTS);
    assert_eq!(guest.calls.serve(1), Served::NoVcpu);
    // Both pages are the guest's again.
    assert_eq!(guest.validate(&[NEW << 12, AREA << 12]), (SUCCESS, 2));
}

#[test]
fn a_processor_starts_again_as_linux_does_it() {
    let guest = guest_with_second();
    for round in 0..10 {
        let (old, new) = (NEW + round % 2, NEW + (round + 1) % 2);
        // The new save area first, with the same calling area, then the old one.
        assert_eq!(guest.create(new, AREA, APIC_IDS[1]), SUCCESS);
        guest.announce(new, AREA, QUERY);
        assert!(matches!(guest.calls.serve(1), Served::Answered { result: SUCCESS, .. }));
        assert_eq!(guest.delete(old), SUCCESS);
        guest.announce(new, AREA, QUERY);
        assert!(matches!(guest.calls.serve(1), Served::Answered { result: SUCCESS, .. }));
    }
}

#[test]
fn save_areas_that_are_not_acceptable() {
    let guest = Guest::new();
    let good = SaveArea::of_guest().properties;
    for (what, properties) in [
        ("level 0", crate::SaveAreaProperties { vmpl: 0, ..good }),
        ("level 1", crate::SaveAreaProperties { vmpl: 1, ..good }),
        ("level 3", crate::SaveAreaProperties { vmpl: 3, ..good }),
        ("no level", crate::SaveAreaProperties { vmpl: 0x82, ..good }),
        ("no SVME", crate::SaveAreaProperties { efer: Efer::LME, ..good }),
        ("no SNP", crate::SaveAreaProperties { sev_features: SevFeatures::empty(), ..good }),
        ("more features", crate::SaveAreaProperties { sev_features: SevFeatures::all(), ..good }),
    ] {
        let area = SaveArea { properties, ..SaveArea::of_guest() };
        guest.model().with(|state| state.save_areas.insert(NEW, area));
        let call = CoreCall::CreateVcpu {
            save_area: page(NEW),
            calling_area: page(AREA),
            apic_id: APIC_IDS[1],
        };
        assert_eq!(guest.call(call), ResultCode::INVALID_PARAMETER, "{what}");
        assert_eq!(guest.state(NEW), GUESTS, "{what}");
        guest.model().with(|state| assert!(state.pages[NEW as usize].is_permitted, "{what}"));
    }
    assert_eq!(guest.create(NEW, AREA, APIC_IDS[1]), SUCCESS);
}

#[test]
fn save_area_and_calling_area_are_two_pages() {
    let guest = guest_with_second();
    let free = NEW + 1;
    assert_eq!(guest.create(free, free, APIC_IDS[1]), ResultCode::INVALID_ADDRESS);
    assert_eq!(guest.create(free, NEW, APIC_IDS[1]), ResultCode::INVALID_ADDRESS);
    assert_eq!(guest.create(NEW, free, APIC_IDS[1]), ResultCode::INVALID_ADDRESS, "it is one");
    // Another processor's calling area.
    assert_eq!(guest.create(free, AREA, APIC_IDS[0]), ResultCode::INVALID_ADDRESS);
    assert_eq!(guest.state(free), GUESTS);
}

#[test]
fn places_run_out_and_come_back() {
    let guest = Guest::new();
    for number in 1..VCPUS as u64 {
        assert_eq!(guest.create(NEW + number, AREA, APIC_IDS[1]), SUCCESS);
    }
    assert_eq!(guest.create(NEW, AREA, APIC_IDS[1]), ResultCode::INVALID_REQUEST);
    assert_eq!(guest.state(NEW), GUESTS);
    assert_eq!(guest.delete(NEW + 1), SUCCESS);
    assert_eq!(guest.create(NEW, AREA, APIC_IDS[1]), SUCCESS);
}

#[test]
fn what_cannot_be_deleted() {
    let guest = guest_with_second();
    assert_eq!(guest.delete(model::SAVE_AREA), ResultCode::INVALID_PARAMETER, "the first");
    assert_eq!(guest.delete(NEW + 1), ResultCode::INVALID_PARAMETER, "no save area");
    assert_eq!(guest.delete(AREA), ResultCode::INVALID_PARAMETER, "a calling area");

    // The processor runs with it.
    guest.model().with(|state| state.save_areas.get_mut(&NEW).unwrap().is_running = true);
    assert_eq!(guest.delete(NEW), ResultCode::IN_USE);
    guest.model().with(|state| {
        let area = state.save_areas.get_mut(&NEW).unwrap();
        assert_eq!(area.right, EntryRight::Allowed);
        area.is_running = false;
    });
    // Its processor serves a call of it.
    let Current::Vcpu(served) = guest.calls.registry.current(1) else { panic!("it is ready") };
    assert_eq!(guest.delete(NEW), ResultCode::IN_USE);
    drop(served);
    // Another deletes it.
    let dying = guest.calls.registry.delete(NEW).unwrap();
    assert_eq!(guest.delete(NEW), ResultCode::IN_USE);
    assert_eq!(guest.calls.serve(1), Served::Later);
    drop(dying);
    assert_eq!(guest.calls.serve(1), Served::NoCall);
    assert_eq!(guest.delete(NEW), SUCCESS);
    assert_eq!(guest.delete(NEW), ResultCode::INVALID_PARAMETER, "it was deleted");
}

#[test]
fn one_deletes_itself() {
    let guest = guest_with_second();
    let delete = CoreCall::DeleteVcpu { save_area: page(NEW) }.encode();
    guest.announce(NEW, AREA, delete);
    // It fails first, and it is told so.
    guest.model().with(|state| state.failures.insert(Operation::Open, None));
    assert!(matches!(
        guest.calls.serve(1),
        Served::Answered { result: ResultCode::INVALID_ADDRESS, .. }
    ));
    guest.announce(NEW, AREA, delete);
    assert_eq!(guest.calls.serve(1), Served::Deleted);
    assert_eq!(guest.calls.serve(1), Served::NoVcpu);
    assert_eq!(guest.state(NEW), GUESTS);
}

#[test]
fn what_the_processor_refuses_is_undone() {
    let refused = Some(ReturnCode::FailInput);
    for operation in [Operation::Forbid, Operation::MakeSaveArea] {
        let guest = Guest::new();
        guest.model().with(|state| state.failures.insert(operation, refused));
        assert_eq!(guest.create(NEW, AREA, APIC_IDS[1]), ResultCode(0x8000_1001));
        assert_eq!(guest.state(NEW), GUESTS);
        assert_eq!(guest.calls.serve(1), Served::NoVcpu);
        assert_eq!(guest.validate(&[AREA << 12]), (SUCCESS, 1), "it is no calling area");
    }
    let guest = guest_with_second();
    guest.model().with(|state| state.failures.insert(Operation::UnmakeSaveArea, refused));
    assert_eq!(guest.delete(NEW), ResultCode(0x8000_1001));
    assert_eq!(guest.state(NEW), PageState::SaveArea);
    // The page is no save area any more, and not the guest's either.
    guest.model().with(|state| state.failures.insert(Operation::Permit, refused));
    assert_eq!(guest.delete(NEW), ResultCode(0x8000_1001));
    assert_eq!(guest.calls.serve(1), Served::NoVcpu);
    assert_eq!(guest.validate(&[NEW << 12]), (ResultCode::BUSY, 0));
}

#[test]
fn a_page_that_is_read_is_not_made_a_save_area() {
    let guest = Guest::new();
    let hold = guest.calls.registry.hold(1, NEW);
    assert_eq!(guest.create(NEW, AREA, APIC_IDS[1]), ResultCode::BUSY);
    assert_eq!(guest.validate(&[NEW << 12]), (ResultCode::BUSY, 0));
    let remap = CoreCall::RemapCallingArea { calling_area: page(NEW) };
    assert_eq!(guest.call(remap), ResultCode::BUSY);
    drop(hold);
    assert_eq!(guest.call(remap), SUCCESS);
}
