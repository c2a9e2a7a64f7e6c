//! Alternate injection: VMPL0 gives events to VMPL1 by its save area.

use abi_snp::{SevFeatures, VintrControl, Vmpl, Vmsa};
use abi_svm::Event;
use abi_x86::{ExceptionVector, Msr};
use core::mem::offset_of;

use super::check::Check;
use super::interrupts::{ASSERT, INTERRUPT_COMMAND, TO_ITSELF, enable};
use crate::bench::{Bench, expect_done};
use crate::machine::{Outcome, Page, Probe, Worker};
use crate::verdict::{Verdict, expect, failed, skip};

const SOURCE: &str = "APM 24593 §15.36.16, appendix B, table B-4; from memory";

macro_rules! check {
    ($name:literal, $hardware:literal, $run:expr) => {
        Check {
            name: concat!("alternate-injection/", $name),
            source: SOURCE,
            hardware: $hardware,
            run: $run,
        }
    };
}

pub(super) const CHECKS: &[Check] = &[
    check!(
        "interrupt",
        "a virtual interrupt in VINTR_CTRL waits for RFLAGS.IF, is delivered once, and V_IRQ is \
         clear then",
        interrupt
    ),
    check!(
        "task-priority",
        "one whose priority is not above V_TPR waits, unless V_IGN_TPR is set; CR8 is V_TPR",
        task_priority
    ),
    check!("global-flag", "without VGIF it waits", global_flag),
    check!(
        "event",
        "an interrupt or NMI in EVENTINJ is delivered whatever RFLAGS.IF is, and EVENTINJ is clear \
         then",
        event
    ),
    check!("exception", "so is an exception, with its error code", exception),
    check!("nothing-else", "an interrupt of the local APIC is not delivered", nothing_else),
];

const LEVEL: Vmpl = Vmpl::Vmpl1;
const VECTOR: u8 = 0x35;
const ENABLED: VintrControl = VintrControl::GLOBAL_INTERRUPT_FLAG;

const CONTROLS: usize = offset_of!(Vmsa, vintr_ctrl);
const EVENT: usize = offset_of!(Vmsa, event_inj);

/// The save area of the level that gets the events.
fn save_area(bench: &Bench) -> Verdict<Page> {
    if !bench.features().contains(SevFeatures::ALTERNATE_INJECTION) {
        return skip("this image does not ask for alternate injection");
    }
    let page = bench.level_save_areas[usize::from(LEVEL.number())];
    page.map_or_else(|| skip("VMPL1 was not started"), Ok)
}

/// How often an event has come to the level.
fn count(bench: &Bench, vector: u8) -> u32 {
    bench.guest.interrupts(Some(Worker::of_level(LEVEL)), vector)
}

/// Runs a probe at the level with these events, and tells how often `vector` has
/// come meanwhile.
fn run(
    bench: &Bench,
    controls: VintrControl,
    event: Event,
    vector: u8,
    probe: Probe,
) -> Verdict<(Outcome, u32)> {
    let page = save_area(bench)?;
    let before = count(bench, vector);
    page.write(CONTROLS, controls.bits());
    page.write(EVENT, event.bits());
    let outcome = bench.at_level(LEVEL, probe)?;
    Ok((outcome, count(bench, vector) - before))
}

/// Runs a probe that must end, and tells how often the interrupt has come, and
/// what is in `VINTR_CTRL` then.
fn interrupts(bench: &Bench, controls: VintrControl, probe: Probe) -> Verdict<(u32, VintrControl)> {
    let (outcome, count) = run(bench, controls, Event::NONE, VECTOR, probe)?;
    expect_done("instruction", &outcome)?;
    let left = save_area(bench)?.read(CONTROLS);
    Ok((count, VintrControl::from_bits_retain(left)))
}

fn interrupt(bench: &mut Bench) -> Verdict {
    let pending = ENABLED.with_interrupt(VECTOR);
    for _ in 0..3 {
        let (count, left) = interrupts(bench, pending, Probe::Rdtsc)?;
        expect("interrupts while they are off", 0, count)?;
        expect("V_IRQ", true, left.contains(VintrControl::PENDING))?;
        let (count, left) = interrupts(bench, left, Probe::TakeInterrupts)?;
        expect("interrupts", 1, count)?;
        expect("V_IRQ", false, left.contains(VintrControl::PENDING))?;
        let (count, _) = interrupts(bench, left, Probe::TakeInterrupts)?;
        expect("interrupts once more", 0, count)?;
    }
    Ok(())
}

fn task_priority(bench: &mut Bench) -> Verdict {
    let pending = ENABLED.with_interrupt(VECTOR);
    let class = VECTOR >> 4;
    for (controls, expected) in [
        (pending.with_task_priority(class + 1), 0),
        (pending.with_task_priority(class - 1), 1),
        (pending.with_task_priority(15).union(VintrControl::IGNORE_TASK_PRIORITY), 1),
    ] {
        let (count, _) = interrupts(bench, controls, Probe::TakeInterrupts)?;
        expect("interrupts", expected, count)?;
    }
    let (outcome, _) = run(bench, ENABLED.with_task_priority(9), Event::NONE, 0, Probe::ReadCr8)?;
    expect_done("MOV from CR8", &outcome)?;
    expect("CR8", 9, outcome.registers.rax)?;
    let none = interrupts(bench, ENABLED, Probe::Rdtsc)?;
    expect("interrupts", 0, none.0)
}

fn global_flag(bench: &mut Bench) -> Verdict {
    let pending = VintrControl::empty().with_interrupt(VECTOR);
    let (count, left) = interrupts(bench, pending, Probe::TakeInterrupts)?;
    expect("interrupts", 0, count)?;
    expect("V_IRQ", true, left.contains(VintrControl::PENDING))?;
    let (count, _) = interrupts(bench, left | ENABLED, Probe::TakeInterrupts)?;
    expect("interrupts then", 1, count)
}

fn event(bench: &mut Bench) -> Verdict {
    for event in [Event::interrupt(VECTOR), Event::nmi()] {
        let (outcome, count) = run(bench, ENABLED, event, event.vector(), Probe::Rdtsc)?;
        expect_done("RDTSC", &outcome)?;
        expect("deliveries", 1, count)?;
        let left = Event::from_bits(save_area(bench)?.read(EVENT));
        expect("an event in EVENTINJ", false, left.is_valid())?;
    }
    Ok(())
}

fn exception(bench: &mut Bench) -> Verdict {
    // The level is on its way out of VMGEXIT and runs no trial yet, where an
    // exception would be the end. So it comes in the middle of one: behind a
    // VMGEXIT that asks for VMPL0.
    let page = save_area(bench)?;
    let worker = Worker::of_level(LEVEL);
    let back = abi_snp::ghcb::MsrRequest::RunVmpl(Vmpl::Vmpl0).encode();
    let probe = Probe::Exit(back);
    bench.guest.order(worker, probe);
    crate::bench::request(&abi_snp::ghcb::RunVmpl(LEVEL))?;
    const CODE: u32 = 0x1234_5678;
    let event = Event::exception_with_code(ExceptionVector::PAGE_FAULT, CODE);
    page.write(EVENT, event.bits());
    crate::bench::request(&abi_snp::ghcb::RunVmpl(LEVEL))?;
    let outcome = bench.guest.result(worker, probe);
    let trap = outcome.and_then(|outcome| outcome.trap);
    let trap = trap.ok_or_else(|| failed("expected #PF in the trial, got none".into()))?;
    let expected = (ExceptionVector::PAGE_FAULT, u64::from(CODE));
    expect("exception and error code", expected, (trap.exception(), trap.error_code))
}

fn nothing_else(bench: &mut Bench) -> Verdict {
    const SPURIOUS: Msr = Msr(0x80f);
    save_area(bench)?;
    enable(bench)?;
    bench.write_msr(INTERRUPT_COMMAND, TO_ITSELF | ASSERT | u64::from(VECTOR))?;
    let (count, _) = interrupts(bench, ENABLED, Probe::TakeInterrupts)?;
    expect("interrupts", 0, count)?;
    // It would wait for ever: the local APIC is switched off.
    bench.write_msr(SPURIOUS, 0)
}
