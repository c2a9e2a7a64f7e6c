//! From one level to another, and waiting for a start-up interrupt.

use abi_snp::Vmpl;
use abi_snp::ghcb::{
    ExitCode, HoldApReset, MalformedInput, MsrCall, MsrCallFault, NaeError, NaeOutputs,
    ResetHoldEnd, RunVmpl, SaveArea, ValidFields,
};

use crate::ghcb::answer::{Next, Stop};
use crate::ghcb::configuration::Configuration;
use crate::ghcb::test_guest::{TestGuest, save_area};
use crate::processors::{ProcessorIndex, RunState, Target};

const NOTHING: ValidFields = ValidFields::empty();

/// The boot processor has a save area for VMPL2 that has not run yet.
fn with_guest_level() -> TestGuest {
    let mut guest = TestGuest::new();
    let target = Target { processor: guest.processor, vmpl: Vmpl::Vmpl2 };
    let processors = guest.server.processors_mut();
    processors.create_on_init(target.processor, target, save_area(9)).unwrap();
    guest
}

fn run(vmpl: u64) -> SaveArea {
    SaveArea::request(ExitCode::SNP_RUN_VMPL.0, vmpl, 0)
}

fn level(next: Next) -> Option<Vmpl> {
    match next {
        Next::Run(running) => Some(running.vmpl),
        _ => None,
    }
}

/// What the level's register holds, as of its last exit.
fn register(guest: &TestGuest, vmpl: Vmpl) -> u64 {
    let target = Target { processor: guest.processor, vmpl };
    guest.server.processors().context_at(target).unwrap().ghcb_msr
}

#[test]
fn the_module_runs_the_guest_and_the_guest_calls_the_module() {
    let mut guest = with_guest_level();

    // The module, by the page.
    guest.prepare(&run(2));
    let answer = guest.exit_by_page();
    assert_eq!(level(answer.next), Some(Vmpl::Vmpl2));
    // The guest's level has not run before: its register is as at a start.
    assert_eq!(answer.ghcb_msr, 0x0002_0001_3300_0001);
    assert_eq!(guest.page(), run(2), "the module is not answered while it waits");

    // The guest calls, by the register.
    let call = RunVmpl(Vmpl::Vmpl0);
    let answer = guest.exit(call.request().encode());
    assert_eq!(level(answer.next), Some(Vmpl::Vmpl0));
    assert_eq!(answer.ghcb_msr, guest.ghcb.address());
    assert!(NaeOutputs::check(&guest.page(), ValidFields::EXIT_INFO_2).is_ok());
    assert_eq!(guest.page().valid_fields().bits().count_ones(), 2);
    let unanswered = call.answer(register(&guest, Vmpl::Vmpl2)).unwrap_err();
    assert_eq!(unanswered.fault, MsrCallFault::Unanswered);

    // The module has done it and runs the guest again.
    guest.prepare(&run(2));
    let answer = guest.exit_by_page();
    assert_eq!(level(answer.next), Some(Vmpl::Vmpl2));
    assert_eq!(call.answer(answer.ghcb_msr), Ok(()));
}

#[test]
fn both_can_use_the_page() {
    let mut guest = with_guest_level();
    let module_page = guest.ghcb;
    let guest_page = abi_snp::ghcb::GuestFrame::at(0x4000).unwrap();
    guest.exit(RunVmpl(Vmpl::Vmpl2).request().encode());
    guest.ghcb = guest_page;
    guest.register();
    guest.prepare(&run(0));
    let answer = guest.exit_by_page();
    assert_eq!(RunVmpl(Vmpl::Vmpl2).answer(answer.ghcb_msr), Ok(()));
    assert_eq!(guest.page(), run(0));

    guest.ghcb = module_page;
    guest.prepare(&run(2));
    let answer = guest.exit_by_page();
    assert_eq!(answer.ghcb_msr, guest_page.address());
    guest.ghcb = guest_page;
    assert!(NaeOutputs::check(&guest.page(), NOTHING).is_ok());
}

#[test]
fn each_level_registers_its_own_page() {
    let mut guest = with_guest_level();
    guest.exit(RunVmpl(Vmpl::Vmpl2).request().encode());
    let error = NaeError::Refused(MalformedInput::NOT_REGISTERED);
    assert_eq!(guest.outputs(run(0), NOTHING), Err(error));
}

#[test]
fn a_level_that_runs_itself_goes_on() {
    let mut guest = TestGuest::new();
    assert_eq!(guest.call(RunVmpl(Vmpl::Vmpl0)), Ok(()));
    assert!(guest.outputs(run(0), NOTHING).is_ok());
}

#[test]
fn levels_without_a_save_area_do_not_run() {
    let mut guest = TestGuest::new();
    let error = NaeError::Refused(MalformedInput::INVALID_INPUT);
    for vmpl in [1, 2, 3, 4, 0x100, u64::MAX] {
        assert_eq!(guest.outputs(run(vmpl), NOTHING), Err(error));
    }
}

#[test]
fn an_answer_that_cannot_be_written_any_more_ends_the_guest() {
    let mut guest = with_guest_level();
    guest.prepare(&run(2));
    guest.exit_by_page();
    guest.host.shared.remove(&guest.ghcb.number());
    let answer = guest.exit(RunVmpl(Vmpl::Vmpl0).request().encode());
    assert_eq!(answer.next, Next::Stop(Stop::InaccessibleGhcb(guest.ghcb)));
}

#[test]
fn a_start_up_interrupt_ends_a_wait_by_the_register() {
    let mut guest = TestGuest::new();
    let request = HoldApReset.request().encode();
    let answer = guest.exit(request);
    assert_eq!((answer.next, answer.ghcb_msr), (Next::HoldUntilStartup, request));
    let state = guest.server.processors().state(guest.processor);
    assert!(matches!(state, RunState::WaitsForStartup(_)));
    let answer = guest.server.start_up(guest.processor, &mut guest.host).unwrap();
    assert_eq!(answer.next, Next::Resume);
    assert_eq!(HoldApReset.answer(answer.ghcb_msr), Ok(ResetHoldEnd::StartUp));
    assert_eq!(guest.server.start_up(guest.processor, &mut guest.host), None);
}

#[test]
fn a_start_up_interrupt_ends_a_wait_by_the_page() {
    let mut guest = TestGuest::new();
    guest.prepare(&SaveArea::request(ExitCode::AP_RESET_HOLD.0, 0, 0));
    assert_eq!(guest.exit_by_page().next, Next::HoldUntilStartup);
    guest.server.start_up(guest.processor, &mut guest.host).unwrap();
    let outputs = NaeOutputs::check(&guest.page(), ValidFields::EXIT_INFO_2).unwrap();
    assert_eq!(outputs.exit_info_2, 1);
}

#[test]
fn a_wait_that_another_level_interrupts_ends_without_a_start() {
    let mut guest = TestGuest::new();
    guest.exit(HoldApReset.request().encode());
    // Another processor starts VMPL2 on this one, which then calls VMPL0.
    let other = guest.server.processors().index(1).unwrap();
    let processors = guest.server.processors_mut();
    let state = crate::processors::LaunchState::Runs;
    processors.launch(Target { processor: other, vmpl: Vmpl::Vmpl0 }, save_area(1), state).unwrap();
    let target = Target { processor: ProcessorIndex::BOOT, vmpl: Vmpl::Vmpl2 };
    processors.create(other, target, save_area(2)).unwrap();
    let answer = guest.exit(RunVmpl(Vmpl::Vmpl0).request().encode());
    assert_eq!(level(answer.next), Some(Vmpl::Vmpl0));
    assert_eq!(HoldApReset.answer(answer.ghcb_msr), Ok(ResetHoldEnd::Other));
}

#[test]
#[should_panic(expected = "processor 0 exits, but it should not have run")]
fn who_waits_does_not_exit() {
    let mut guest = TestGuest::new();
    guest.exit(HoldApReset.request().encode());
    guest.exit(HoldApReset.request().encode());
}

#[test]
fn levels_need_the_feature() {
    let features = Configuration::SERVED - abi_snp::ghcb::HypervisorFeatures::MULTI_VMPL;
    let mut guest = TestGuest::with_features(features);
    let error = guest.call(RunVmpl(Vmpl::Vmpl0)).unwrap_err();
    assert_eq!(error.fault, MsrCallFault::RefusedWith(1));
}
