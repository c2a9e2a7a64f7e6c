//! What guests need under restricted injection.

use abi_snp::ghcb::{
    DoorbellAction, ExitCode, GuestFrame, MalformedInput, NaeError, SaveArea, ValidFields,
};

use crate::ghcb::fake_host::Access;
use crate::ghcb::test_guest::TestGuest;

const INVALID: NaeError = NaeError::Refused(MalformedInput::INVALID_INPUT);
const NOTHING: ValidFields = ValidFields::empty();

fn doorbell(action: DoorbellAction, gpa: u64) -> SaveArea {
    SaveArea::request(ExitCode::HV_DOORBELL_PAGE.0, action.encode(), gpa)
}

/// What a question for a page is answered with.
fn told(guest: &mut TestGuest, action: DoorbellAction) -> Option<GuestFrame> {
    let outputs = guest.outputs(doorbell(action, 0), ValidFields::EXIT_INFO_2).unwrap();
    DoorbellAction::answered(outputs.exit_info_2).unwrap()
}

#[test]
fn a_doorbell_is_set_told_and_forgotten() {
    let mut guest = TestGuest::new();
    let page = GuestFrame::at(0x7000).unwrap();
    assert_eq!(told(&mut guest, DoorbellAction::GetPreferred), None);
    assert_eq!(told(&mut guest, DoorbellAction::Query), None);
    guest.outputs(doorbell(DoorbellAction::Set, page.address()), NOTHING).unwrap();
    assert_eq!(told(&mut guest, DoorbellAction::Query), Some(page));
    let context = guest.server.processors().context(guest.processor).unwrap();
    assert_eq!(context.doorbell, Some(page));
    guest.outputs(doorbell(DoorbellAction::Clear, 0), NOTHING).unwrap();
    assert_eq!(told(&mut guest, DoorbellAction::Query), None);
}

#[test]
fn doorbells_are_shared_pages() {
    let mut guest = TestGuest::new();
    guest.host.shared.remove(&9);
    for gpa in [0x7001, 0x9000, 1 << 51, u64::MAX] {
        assert_eq!(guest.outputs(doorbell(DoorbellAction::Set, gpa), NOTHING), Err(INVALID));
    }
    let unknown = SaveArea::request(ExitCode::HV_DOORBELL_PAGE.0, 4, 0);
    assert_eq!(guest.outputs(unknown, NOTHING), Err(INVALID));
    assert_eq!(told(&mut guest, DoorbellAction::Query), None);
}

#[test]
fn interrupts_are_sent_by_command() {
    let mut guest = TestGuest::new();
    let command = 2 << 32 | 0xfd;
    guest.outputs(SaveArea::request(ExitCode::HV_IPI.0, command, 0), NOTHING).unwrap();
    assert_eq!(guest.host.take_accesses(), [Access::Interrupt(0, command)]);
    let impossible = SaveArea::request(ExitCode::HV_IPI.0, 1 << 13, 0);
    assert_eq!(guest.outputs(impossible, NOTHING), Err(INVALID));
}
