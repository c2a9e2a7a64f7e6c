//! Stopping and going on.

use abi_snp::SevFeatures;

use super::*;
use crate::gpa::Gpa;
use crate::processors::context::SaveAreaPage;
use crate::processors::creation::LaunchState;
use crate::processors::processor::{RunState, Running};
use crate::processors::table::ProcessorDefaults;

const BOOT: ProcessorIndex = ProcessorIndex::BOOT;
const PAGE: SaveAreaPage = SaveAreaPage { gpa: Gpa(0x1000), features: SevFeatures::SNP_ACTIVE };

fn processors(state: LaunchState) -> (Processors, Running) {
    let defaults = ProcessorDefaults { supported_features: SevFeatures::SNP_ACTIVE, ghcb_msr: 0 };
    let mut processors = Processors::new(1, defaults).unwrap();
    let target = Target { processor: BOOT, vmpl: Vmpl::Vmpl0 };
    processors.launch(target, PAGE, state).unwrap();
    let running = processors.running(BOOT).unwrap();
    (processors, running)
}

#[test]
fn hlt_lasts_until_an_interrupt() {
    let (mut processors, running) = processors(LaunchState::Runs);
    processors.wake(BOOT);
    assert_eq!(processors.state(BOOT), RunState::Runnable(running));
    processors.halt(BOOT);
    assert_eq!(processors.state(BOOT), RunState::Halted(running));
    assert_eq!(processors.start_up(BOOT), StartUp::Ignored);
    assert_eq!(processors.state(BOOT), RunState::Halted(running));
    processors.wake(BOOT);
    assert_eq!(processors.state(BOOT), RunState::Runnable(running));
}

#[test]
fn the_first_start_has_no_answer() {
    let (mut processors, running) = processors(LaunchState::WaitsForStartup);
    assert_eq!(processors.state(BOOT), RunState::WaitsForStartup(running));
    // Neither an interrupt nor INIT starts it.
    processors.wake(BOOT);
    processors.halt(BOOT);
    processors.init(BOOT);
    assert_eq!(processors.state(BOOT), RunState::WaitsForStartup(running));
    assert_eq!(processors.start_up(BOOT), StartUp::Starts(None));
    assert_eq!(processors.state(BOOT), RunState::Runnable(running));
    assert_eq!(processors.start_up(BOOT), StartUp::Ignored);
}

#[test]
fn a_hold_is_answered_by_the_channel_that_asked() {
    let (mut processors, running) = processors(LaunchState::Runs);
    processors.hold(BOOT, Channel::Msr);
    assert_eq!(processors.state(BOOT), RunState::WaitsForStartup(running));
    let end = ResetHoldEnd::StartUp;
    let due = Completion::ResetHold { channel: Channel::Msr, end };
    assert_eq!(processors.start_up(BOOT), StartUp::Starts(Some(due)));
}

#[test]
fn init_starts_the_most_privileged_kept_save_area() {
    let (mut processors, _) = processors(LaunchState::Runs);
    for (vmpl, gpa) in [(Vmpl::Vmpl3, 0x3000), (Vmpl::Vmpl1, 0x5000)] {
        let page = SaveAreaPage { gpa: Gpa(gpa), ..PAGE };
        processors.create_on_init(BOOT, Target { processor: BOOT, vmpl }, page).unwrap();
    }
    processors.init(BOOT);
    let running = processors.running(BOOT).unwrap();
    assert_eq!((running.vmpl, running.save_area.gpa), (Vmpl::Vmpl1, Gpa(0x5000)));
    assert_eq!(processors.state(BOOT), RunState::WaitsForStartup(running));
    assert_eq!(processors.start_up(BOOT), StartUp::Starts(None));
}

#[test]
fn a_processor_without_a_save_area_stays_as_it_is() {
    let defaults = ProcessorDefaults { supported_features: SevFeatures::SNP_ACTIVE, ghcb_msr: 0 };
    let mut processors = Processors::new(1, defaults).unwrap();
    let before = processors.clone();
    processors.init(BOOT);
    processors.halt(BOOT);
    processors.wake(BOOT);
    processors.hold(BOOT, Channel::Msr);
    assert_eq!(processors.start_up(BOOT), StartUp::Ignored);
    assert_eq!(processors, before);
}
