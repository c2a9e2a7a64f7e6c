//! Starting and stopping processors, and listing them.

use alloc::vec::Vec;

use abi_snp::ghcb::{
    ApCreation, ApCreationAction, ApicIdList, ExitCode, HypervisorFeatures, MalformedInput,
    NaeError, SaveArea, ValidFields,
};
use abi_snp::{SevFeatures, Vmpl};

use crate::ghcb::answer::Next;
use crate::ghcb::configuration::Configuration;
use crate::ghcb::test_guest::{TestGuest, save_area};
use crate::processors::{RunState, Running, SaveAreaPage};

const INVALID: NaeError = NaeError::Refused(MalformedInput::INVALID_INPUT);
const NOTHING: ValidFields = ValidFields::empty();

fn creation(
    action: ApCreationAction,
    vmpl: Vmpl,
    apic_id: u32,
    SaveAreaPage { gpa, features }: SaveAreaPage,
) -> SaveArea {
    let info_1 = ApCreation { action, vmpl, apic_id }.encode();
    let words = SaveArea::request(ExitCode::SNP_AP_CREATION.0, info_1, gpa.0);
    SaveArea { rax: Some(features.bits()), ..words }
}

fn running(guest: &TestGuest, apic_id: u32) -> Option<Running> {
    let processors = guest.server.processors();
    processors.running(processors.index(apic_id).unwrap())
}

#[test]
fn a_processor_is_started_replaced_and_stopped() {
    let mut guest = TestGuest::new();
    let request = creation(ApCreationAction::Create, Vmpl::Vmpl0, 2, save_area(2));
    guest.outputs(request, NOTHING).unwrap();
    assert_eq!(guest.last.unwrap().evicted, None, "it ran nothing before");
    let first = running(&guest, 2).unwrap();
    assert_eq!((first.vmpl, first.save_area), (Vmpl::Vmpl0, save_area(2)));

    // The same page again is another instance: it has to be loaded anew.
    guest.outputs(request, NOTHING).unwrap();
    let two = guest.server.processors().index(2);
    assert_eq!(guest.last.unwrap().evicted, two);
    let second = running(&guest, 2).unwrap();
    assert_eq!(second.save_area, first.save_area);
    assert_ne!(second.instance, first.instance);

    let words = creation(ApCreationAction::Destroy, Vmpl::Vmpl0, 2, save_area(2));
    guest.outputs(SaveArea { rax: None, ..words }, NOTHING).unwrap();
    assert_eq!(guest.last.unwrap().evicted, two);
    assert_eq!(guest.server.processors().state(two.unwrap()), RunState::NotCreated);
}

#[test]
fn a_new_save_area_comes_without_a_registered_page() {
    let mut guest = TestGuest::new();
    let request = creation(ApCreationAction::Create, Vmpl::Vmpl0, 1, save_area(1));
    guest.outputs(request, NOTHING).unwrap();
    guest.processor = guest.server.processors().index(1).unwrap();
    let error = NaeError::Refused(MalformedInput::NOT_REGISTERED);
    assert_eq!(guest.outputs(request, NOTHING), Err(error));
}

#[test]
fn what_cannot_be_created_is_invalid_input() {
    let mut guest = TestGuest::new();
    let good = save_area(1);
    let gpa = |gpa| SaveAreaPage { gpa: crate::Gpa(gpa), ..good };
    let features = |features| SaveAreaPage { features, ..good };
    let create = ApCreationAction::Create;
    for request in [
        creation(create, Vmpl::Vmpl0, 4, good),
        creation(create, Vmpl::Vmpl0, u32::MAX, good),
        creation(create, Vmpl::Vmpl0, 0, good),
        creation(create, Vmpl::Vmpl0, 1, gpa(0x80_1008)),
        creation(create, Vmpl::Vmpl0, 1, gpa(0x80_0000)),
        creation(create, Vmpl::Vmpl0, 1, features(SevFeatures::empty())),
        SaveArea { exit_info_1: Some(3), ..creation(create, Vmpl::Vmpl0, 1, good) },
        SaveArea { exit_info_1: Some(1 << 32 | 4 << 16), ..creation(create, Vmpl::Vmpl0, 1, good) },
    ] {
        assert_eq!(guest.outputs(request, NOTHING), Err(INVALID));
        assert_eq!(running(&guest, 1), None);
    }
    let request = creation(create, Vmpl::Vmpl0, 1, good);
    let error = NaeError::Refused(MalformedInput::MISSING_INPUT);
    assert_eq!(guest.outputs(SaveArea { rax: None, ..request }, NOTHING), Err(error));
}

#[test]
fn without_several_levels_there_is_only_the_first() {
    let features = Configuration::SERVED - HypervisorFeatures::MULTI_VMPL;
    let mut guest = TestGuest::with_features(features);
    let create = ApCreationAction::Create;
    let request = creation(create, Vmpl::Vmpl1, 1, save_area(1));
    assert_eq!(guest.outputs(request, NOTHING), Err(INVALID));
    let request = creation(create, Vmpl::Vmpl0, 1, save_area(1));
    assert!(guest.outputs(request, NOTHING).is_ok());
}

#[test]
fn a_level_below_the_first_can_replace_and_stop_itself() {
    let mut guest = TestGuest::new();
    let lower = creation(ApCreationAction::Create, Vmpl::Vmpl2, 0, save_area(5));
    guest.prepare(&lower);
    // The caller's own processor runs another level at once.
    let answer = guest.exit_by_page();
    let expected = running(&guest, 0).unwrap();
    assert_eq!((expected.vmpl, expected.save_area), (Vmpl::Vmpl2, save_area(5)));
    assert_eq!((answer.next, answer.evicted), (Next::Run(expected), None));
    guest.register();
    guest.prepare(&lower);
    let Next::Run(again) = guest.exit_by_page().next else { panic!("goes on as it was") };
    assert_ne!(again.instance, expected.instance);
    guest.register();
    guest.prepare(&creation(ApCreationAction::Destroy, Vmpl::Vmpl2, 0, save_area(5)));
    assert_eq!(guest.exit_by_page().next, Next::Idle);
}

#[test]
fn the_processors_are_listed() {
    let mut guest = TestGuest::new();
    let ask = |guest: &mut TestGuest, gpa, pages| {
        let words = SaveArea::request(ExitCode::GET_APIC_IDS.0, gpa, 0);
        guest.outputs(SaveArea { rax: Some(pages), ..words }, ValidFields::RAX)
    };
    assert_eq!(ask(&mut guest, 0x7000, 0).unwrap().rax, 1, "one page is needed");
    assert_eq!(guest.host.bytes(0x7000, 4), [0; 4]);
    assert_eq!(ask(&mut guest, 0x7000, 2).unwrap().rax, 2);
    let list = ApicIdList::parse(guest.host.bytes(0x7000, 0x1000)).unwrap();
    assert_eq!(list.ids().collect::<Vec<_>>(), [0, 1, 2, 3]);
    guest.host.shared.remove(&9);
    for gpa in [0x7004, 0x9000, 1 << 51, u64::MAX] {
        let error = ask(&mut guest, gpa, u64::MAX).unwrap_err();
        assert_eq!(error, INVALID, "{gpa:#x}");
    }
}
