//! Which level waits for whom.

use abi_snp::SevFeatures;
use abi_svm::Event;

use super::*;
use crate::gpa::Gpa;
use crate::processors::context::SaveAreaPage;
use crate::processors::creation::LaunchState;
use crate::processors::processor::RunState;
use crate::processors::table::ProcessorDefaults;

const BOOT: ProcessorIndex = ProcessorIndex::BOOT;
const PAGE: SaveAreaPage = SaveAreaPage { gpa: Gpa(0x1000), features: SevFeatures::SNP_ACTIVE };

/// One processor that runs VMPL0, and has save areas for the levels below.
fn processors(lower: &[(Vmpl, LaunchState)]) -> Processors {
    let defaults = ProcessorDefaults { supported_features: SevFeatures::SNP_ACTIVE, ghcb_msr: 0 };
    let mut processors = Processors::new(1, defaults).unwrap();
    for (vmpl, state) in [(Vmpl::Vmpl0, LaunchState::Runs)].iter().chain(lower) {
        processors.launch(Target { processor: BOOT, vmpl: *vmpl }, PAGE, *state).unwrap();
    }
    processors
}

#[test]
fn who_asked_is_answered_when_it_runs_again() {
    let mut processors = processors(&[(Vmpl::Vmpl2, LaunchState::Runs)]);
    assert_eq!(processors.run_level(BOOT, Vmpl::Vmpl2, Channel::Msr), Ok(None));
    assert_eq!(processors.running(BOOT).unwrap().vmpl, Vmpl::Vmpl2);
    let channel = Channel::Page(abi_snp::ghcb::GuestFrame::at(0x4000).unwrap());
    let due = Completion::RunVmpl { channel: Channel::Msr };
    assert_eq!(processors.run_level(BOOT, Vmpl::Vmpl0, channel), Ok(Some(due)));
    let due = Completion::RunVmpl { channel };
    assert_eq!(processors.run_level(BOOT, Vmpl::Vmpl2, Channel::Msr), Ok(Some(due)));
}

#[test]
fn chains_of_levels_are_answered_each_for_itself() {
    let lower = [(Vmpl::Vmpl1, LaunchState::Runs), (Vmpl::Vmpl2, LaunchState::Runs)];
    let mut processors = processors(&lower);
    assert_eq!(processors.run_level(BOOT, Vmpl::Vmpl1, Channel::Msr), Ok(None));
    assert_eq!(processors.run_level(BOOT, Vmpl::Vmpl2, Channel::Msr), Ok(None));
    // VMPL2 calls VMPL0 past VMPL1, which goes on waiting.
    let due = Ok(Some(Completion::RunVmpl { channel: Channel::Msr }));
    assert_eq!(processors.run_level(BOOT, Vmpl::Vmpl0, Channel::Msr), due);
    assert_eq!(processors.run_level(BOOT, Vmpl::Vmpl1, Channel::Msr), due);
}

#[test]
fn a_level_without_a_save_area_does_not_run() {
    let mut processors = processors(&[]);
    let before = processors.clone();
    let error = Err(NoSaveArea(Vmpl::Vmpl3));
    assert_eq!(processors.run_level(BOOT, Vmpl::Vmpl3, Channel::Msr), error);
    assert_eq!(processors, before);
}

#[test]
fn a_kept_save_area_replaces_that_of_the_level_once() {
    let mut processors = processors(&[(Vmpl::Vmpl2, LaunchState::Runs)]);
    let target = Target { processor: BOOT, vmpl: Vmpl::Vmpl2 };
    let old = processors.context_at(target).unwrap().instance;
    processors.create_on_init(BOOT, target, SaveAreaPage { gpa: Gpa(0x3000), ..PAGE }).unwrap();
    processors.run_level(BOOT, Vmpl::Vmpl2, Channel::Msr).unwrap();
    let new = processors.running(BOOT).unwrap();
    assert_eq!(new.save_area.gpa, Gpa(0x3000));
    assert_ne!(new.instance, old);
    processors.run_level(BOOT, Vmpl::Vmpl0, Channel::Msr).unwrap();
    processors.run_level(BOOT, Vmpl::Vmpl2, Channel::Msr).unwrap();
    assert_eq!(processors.running(BOOT), Some(new));
}

#[test]
fn a_level_that_waits_for_its_start_is_started() {
    let mut processors = processors(&[(Vmpl::Vmpl2, LaunchState::WaitsForStartup)]);
    assert_eq!(processors.run_level(BOOT, Vmpl::Vmpl2, Channel::Msr), Ok(None));
    assert!(matches!(processors.state(BOOT), RunState::Runnable(_)));
}

#[test]
fn each_level_keeps_its_register_while_others_run() {
    let mut processors = processors(&[(Vmpl::Vmpl2, LaunchState::Runs)]);
    processors.set_ghcb_msr(BOOT, 0x111);
    processors.run_level(BOOT, Vmpl::Vmpl2, Channel::Msr).unwrap();
    processors.set_ghcb_msr(BOOT, 0x222);
    let register = |processors: &Processors| processors.context(BOOT).unwrap().ghcb_msr;
    assert_eq!(register(&processors), 0x222);
    processors.run_level(BOOT, Vmpl::Vmpl0, Channel::Msr).unwrap();
    assert_eq!(register(&processors), 0x111);
}

/// An exit cuts the delivery of an NMI short; then the host, or the level itself
/// by the handler of something else, has another level run.
#[test]
fn an_event_that_was_cut_short_waits_for_its_level() {
    let lower = [(Vmpl::Vmpl2, LaunchState::Runs)];
    let mut processors = processors(&lower);
    assert_eq!(processors.run_level(BOOT, Vmpl::Vmpl2, Channel::Msr), Ok(None));
    let guest = processors.running(BOOT).unwrap();
    processors.divert(BOOT, Vmpl::Vmpl0).unwrap();
    processors.keep_event(BOOT, guest, Event::nmi());
    // The level that runs in between does not get it.
    assert_eq!(processors.take_event(BOOT), None);
    assert_eq!(processors.run_level(BOOT, Vmpl::Vmpl2, Channel::Msr), Ok(None));
    assert_eq!(processors.take_event(BOOT), Some(Event::nmi()));
    // Once.
    assert_eq!(processors.take_event(BOOT), None);
}

#[test]
fn a_new_save_area_has_no_event_of_the_old_one() {
    let target = Target { processor: BOOT, vmpl: Vmpl::Vmpl2 };
    let old = |processors: &mut Processors| {
        assert_eq!(processors.run_level(BOOT, Vmpl::Vmpl2, Channel::Msr), Ok(None));
        let running = processors.running(BOOT).unwrap();
        processors.divert(BOOT, Vmpl::Vmpl0).unwrap();
        running
    };
    let run_anew = |mut processors: Processors| {
        processors.create_on_init(BOOT, target, PAGE).unwrap();
        assert_eq!(processors.run_level(BOOT, Vmpl::Vmpl2, Channel::Msr), Ok(None));
        processors
    };
    let lower = [(Vmpl::Vmpl2, LaunchState::Runs)];
    // Kept before the new one, in the same page, is there, and after.
    let mut before = processors(&lower);
    let running = old(&mut before);
    before.keep_event(BOOT, running, Event::nmi());
    assert_eq!(run_anew(before).take_event(BOOT), None);
    let mut after = processors(&lower);
    let running = old(&mut after);
    let mut after = run_anew(after);
    after.keep_event(BOOT, running, Event::nmi());
    assert_eq!(after.take_event(BOOT), None);
}
