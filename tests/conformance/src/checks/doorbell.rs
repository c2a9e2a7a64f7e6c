//! Restricted injection: nothing arrives but #HV, and what it is about stands in
//! the doorbell page.

use abi_snp::SevFeatures;
use abi_snp::ghcb::{
    DoorbellAction, DoorbellFlags, ExitCode, MalformedInput, NaeError, NoEoiRequired,
    PendingEvents, SaveArea, ValidFields,
};
use abi_x86::ExceptionVector;
use alloc::format;

use super::check::Check;
use super::interrupts::{
    ASSERT, END_OF_INTERRUPT, INTERRUPT_COMMAND, NMI, TIMER, TIMER_COUNT, TIMER_DIVIDE, TO_ITSELF,
    enable,
};
use super::processors::{ask_there, enable_there, running};
use crate::bench::{Bench, expect_done};
use crate::machine::{Page, Probe, Worker};
use crate::verdict::{Verdict, expect, failed, require, skip};

const SOURCE: &str = "GHCB 56421 2.04 ch. 5; APM 24593 §15.36.16";

macro_rules! check {
    ($name:literal, $hardware:literal, $run:expr) => {
        Check { name: concat!("doorbell/", $name), source: SOURCE, hardware: $hardware, run: $run }
    };
}

pub(super) const CHECKS: &[Check] = &[
    check!("page", "the hypervisor keeps the page that is set until it is cleared", page),
    check!(
        "private-page",
        "a page that is not shared, or an address that is no page's: invalid input (5); from \
         memory",
        private_page
    ),
    check!(
        "interrupt",
        "an interrupt is #HV, also with RFLAGS.IF clear, with its vector and NoFurtherSignal in \
         the page; its own vector is not entered",
        interrupt
    ),
    check!(
        "no-further-signal",
        "while NoFurtherSignal is set, another interrupt stands in the page without #HV",
        no_further_signal
    ),
    check!(
        "end-of-interrupt",
        "before the end of an interrupt, one of higher priority arrives, one of lower priority \
         does not",
        end_of_interrupt
    ),
    check!("nmi", "an NMI is #HV with its bit in the page", nmi),
    check!("together", "an NMI and an interrupt that wait are in the page together", together),
    check!("halt", "#HV ends HLT", halt),
    check!("ipi", "the event #HV IPI sends interrupts and NMIs to the sender", ipi),
    check!(
        "other-processor",
        "the event #HV IPI sends an interrupt to another processor, which has a page of its own",
        other_processor
    ),
];

const VECTOR: u8 = 0x51;
const HIGHER_VECTOR: u8 = 0x62;
const LOWER_VECTOR: u8 = 0x43;
const NMI_VECTOR: u8 = 2;

/// A doorbell page that is in use, and how often it has rung before.
struct Doorbell {
    page: Page,
    rung: u32,
}

/// What was in the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Events {
    pending: PendingEvents,
    no_eoi_required: bool,
}

const SIGNALLED: DoorbellFlags = DoorbellFlags::NO_FURTHER_SIGNAL;

fn event(action: DoorbellAction, gpa: u64) -> SaveArea {
    SaveArea::request(ExitCode::HV_DOORBELL_PAGE.0, action.encode(), gpa)
}

fn needs_restriction(bench: &Bench) -> Verdict {
    if bench.features().contains(SevFeatures::RESTRICTED_INJECTION) {
        return Ok(());
    }
    skip("this image does not ask for restricted injection")
}

/// A shared page whose first bytes are zero.
fn empty_page(bench: &mut Bench) -> Verdict<Page> {
    let page = bench.shared_page()?;
    page.store(0, &[0; 64]);
    Ok(page)
}

/// How often #HV has come.
fn rung(bench: &Bench, worker: Option<Worker>) -> u32 {
    bench.guest.interrupts(worker, ExceptionVector::HYPERVISOR_INJECTION.0)
}

impl Doorbell {
    /// Switches the local APIC on and sets a new page.
    fn set(bench: &mut Bench) -> Verdict<Self> {
        needs_restriction(bench)?;
        enable(bench)?;
        let page = empty_page(bench)?;
        bench.must(&event(DoorbellAction::Set, page.gpa()), ValidFields::empty())?;
        Ok(Self { page, rung: rung(bench, None) })
    }

    /// Waits for #HV.
    fn wait(&mut self, bench: &Bench) -> Verdict {
        let expected = self.rung + 1;
        bench
            .wait_for(|| (rung(bench, None) >= expected).then_some(()), "no #HV comes")
            .and_then(|()| expect("#HV since the page was set", expected, rung(bench, None)))?;
        self.rung = expected;
        Ok(())
    }

    /// Makes the hypervisor run, and fails if #HV has come.
    fn is_silent(&self, bench: &Bench) -> Verdict {
        for _ in 0..3 {
            // Each of these exits, so that the hypervisor could inject.
            bench.must(&SaveArea::request(ExitCode::WBINVD.0, 0, 0), ValidFields::empty())?;
        }
        expect("#HV", self.rung, rung(bench, None))
    }

    /// Takes what is in the page, and leaves `flags` there.
    fn take(&self, bench: &Bench, flags: DoorbellFlags) -> Verdict<Events> {
        events(self.page, bench, flags)
    }
}

/// Takes what is in a page, and leaves `flags` there.
fn events(page: Page, bench: &Bench, flags: DoorbellFlags) -> Verdict<Events> {
    let left = PendingEvents { interrupt: None, flags };
    let outcome = bench.probe(Probe::Exchange(page, 0, left.encode().into()));
    expect_done("XCHG", &outcome)?;
    let [low, high, no_eoi_required, ..] = outcome.registers.rdx.to_le_bytes();
    let pending = PendingEvents::decode(u16::from_le_bytes([low, high]))
        .map_err(|error| failed(format!("expected events, got: {error}")))?;
    Ok(Events { pending, no_eoi_required: NoEoiRequired(no_eoi_required).is_set() })
}

/// Ends an interrupt, if that is to be told.
fn end_interrupt(bench: &Bench, events: Events) -> Verdict {
    if events.no_eoi_required { Ok(()) } else { bench.write_msr(END_OF_INTERRUPT, 0) }
}

/// Sends an interrupt to this processor.
fn send(bench: &Bench, vector: u8) -> Verdict {
    bench.write_msr(INTERRUPT_COMMAND, TO_ITSELF | ASSERT | u64::from(vector))
}

/// Expects `vector` and these flags in the page.
fn expect_events(taken: Events, vector: Option<u8>, flags: DoorbellFlags) -> Verdict {
    expect("events", PendingEvents { interrupt: vector, flags }, taken.pending)
}

fn page(bench: &mut Bench) -> Verdict {
    needs_restriction(bench)?;
    let told = |bench: &Bench, action| {
        let outputs = bench.must(&event(action, 0), ValidFields::EXIT_INFO_2)?;
        let page = DoorbellAction::answered(outputs.exit_info_2);
        page.ok_or_else(|| failed(format!("{action:?}: got {:#x}", outputs.exit_info_2)))
    };
    told(bench, DoorbellAction::GetPreferred)?;
    let pages = [empty_page(bench)?, empty_page(bench)?];
    for page in pages {
        bench.must(&event(DoorbellAction::Set, page.gpa()), ValidFields::empty())?;
        let set = told(bench, DoorbellAction::Query)?;
        expect("page", Some(page.gpa()), set.map(|frame| frame.address()))?;
    }
    bench.must(&event(DoorbellAction::Clear, 0), ValidFields::empty())?;
    let left = told(bench, DoorbellAction::Query)?.map(|frame| frame.address());
    require(!pages.iter().any(|page| Some(page.gpa()) == left), "no page of this guest's", left)
}

fn private_page(bench: &mut Bench) -> Verdict {
    needs_restriction(bench)?;
    let page = bench.private_page()?;
    for gpa in [page.gpa(), bench.ghcb.0.gpa() + 8] {
        let answer = bench.ask(&event(DoorbellAction::Set, gpa), ValidFields::empty());
        let refused = Err(NaeError::Refused(MalformedInput::INVALID_INPUT));
        expect("answer", refused, answer.map(drop))?;
    }
    Ok(())
}

fn interrupt(bench: &mut Bench) -> Verdict {
    let mut doorbell = Doorbell::set(bench)?;
    let before = bench.guest.interrupts(None, VECTOR);
    for _ in 0..3 {
        send(bench, VECTOR)?;
        doorbell.wait(bench)?;
        let taken = doorbell.take(bench, DoorbellFlags::empty())?;
        expect_events(taken, Some(VECTOR), SIGNALLED)?;
        end_interrupt(bench, taken)?;
        doorbell.is_silent(bench)?;
    }
    expect("interrupts by their vector", before, bench.guest.interrupts(None, VECTOR))?;
    expect_events(doorbell.take(bench, DoorbellFlags::empty())?, None, DoorbellFlags::empty())
}

fn no_further_signal(bench: &mut Bench) -> Verdict {
    let mut doorbell = Doorbell::set(bench)?;
    send(bench, VECTOR)?;
    doorbell.wait(bench)?;
    end_interrupt(bench, doorbell.take(bench, SIGNALLED)?)?;
    send(bench, HIGHER_VECTOR)?;
    doorbell.is_silent(bench)?;
    let taken = doorbell.take(bench, DoorbellFlags::empty())?;
    expect_events(taken, Some(HIGHER_VECTOR), SIGNALLED)?;
    end_interrupt(bench, taken)?;
    send(bench, VECTOR)?;
    doorbell.wait(bench)?;
    end_interrupt(bench, doorbell.take(bench, DoorbellFlags::empty())?)
}

fn end_of_interrupt(bench: &mut Bench) -> Verdict {
    let mut doorbell = Doorbell::set(bench)?;
    send(bench, VECTOR)?;
    doorbell.wait(bench)?;
    let first = doorbell.take(bench, DoorbellFlags::empty())?;
    if first.no_eoi_required {
        return skip("the hypervisor does not need to be told of the end");
    }
    send(bench, LOWER_VECTOR)?;
    doorbell.is_silent(bench)?;
    send(bench, HIGHER_VECTOR)?;
    doorbell.wait(bench)?;
    let second = doorbell.take(bench, DoorbellFlags::empty())?;
    expect_events(second, Some(HIGHER_VECTOR), SIGNALLED)?;
    end_interrupt(bench, second)?;
    doorbell.is_silent(bench)?;
    end_interrupt(bench, first)?;
    doorbell.wait(bench)?;
    let third = doorbell.take(bench, DoorbellFlags::empty())?;
    expect_events(third, Some(LOWER_VECTOR), SIGNALLED)?;
    end_interrupt(bench, third)
}

/// NMIs cannot be sent to the sender by shorthand: to the processor with APIC ID
/// 0, which is this one.
const NMI_TO_ITSELF: u64 = NMI | ASSERT;

fn nmi(bench: &mut Bench) -> Verdict {
    let mut doorbell = Doorbell::set(bench)?;
    let before = bench.guest.interrupts(None, NMI_VECTOR);
    for _ in 0..3 {
        bench.write_msr(INTERRUPT_COMMAND, NMI_TO_ITSELF)?;
        doorbell.wait(bench)?;
        let taken = doorbell.take(bench, DoorbellFlags::empty())?;
        expect_events(taken, None, DoorbellFlags::NMI | SIGNALLED)?;
        // Where there is no NMI, nothing says that it is over.
        doorbell.is_silent(bench)?;
    }
    expect("NMIs by their vector", before, bench.guest.interrupts(None, NMI_VECTOR))
}

fn together(bench: &mut Bench) -> Verdict {
    let mut doorbell = Doorbell::set(bench)?;
    bench.write_msr(INTERRUPT_COMMAND, NMI_TO_ITSELF)?;
    doorbell.wait(bench)?;
    send(bench, VECTOR)?;
    doorbell.is_silent(bench)?;
    let taken = doorbell.take(bench, DoorbellFlags::empty())?;
    expect_events(taken, Some(VECTOR), DoorbellFlags::NMI | SIGNALLED)?;
    end_interrupt(bench, taken)
}

fn halt(bench: &mut Bench) -> Verdict {
    // Long enough to be in HLT by then: 20 ms where it counts nanoseconds.
    const TICKS: u64 = 20_000_000;
    const DIVIDE_BY_1: u64 = 0b1011;
    let mut doorbell = Doorbell::set(bench)?;
    bench.write_msr(TIMER_DIVIDE, DIVIDE_BY_1)?;
    bench.write_msr(TIMER, VECTOR.into())?;
    bench.write_msr(TIMER_COUNT, TICKS)?;
    doorbell.is_silent(bench)?;
    expect_done("HLT", &bench.probe(Probe::Halt))?;
    doorbell.wait(bench)?;
    let taken = doorbell.take(bench, DoorbellFlags::empty())?;
    expect_events(taken, Some(VECTOR), SIGNALLED)?;
    end_interrupt(bench, taken)
}

/// The event *#HV IPI* for a command of the local APIC.
fn ipi_event(command: u64) -> SaveArea {
    SaveArea::request(ExitCode::HV_IPI.0, command, 0)
}

fn ipi(bench: &mut Bench) -> Verdict {
    let mut doorbell = Doorbell::set(bench)?;
    bench.must(&ipi_event(TO_ITSELF | ASSERT | u64::from(VECTOR)), ValidFields::empty())?;
    doorbell.wait(bench)?;
    let taken = doorbell.take(bench, DoorbellFlags::empty())?;
    expect_events(taken, Some(VECTOR), SIGNALLED)?;
    end_interrupt(bench, taken)?;
    bench.must(&ipi_event(NMI_TO_ITSELF), ValidFields::empty())?;
    doorbell.wait(bench)?;
    let taken = doorbell.take(bench, DoorbellFlags::empty())?;
    expect_events(taken, None, DoorbellFlags::NMI | SIGNALLED)
}

fn other_processor(bench: &mut Bench) -> Verdict {
    let here = Doorbell::set(bench)?;
    for number in running(bench)? {
        let worker = Worker::of_processor(number);
        let ghcb = enable_there(bench, number)?;
        let page = empty_page(bench)?;
        ask_there(bench, number, ghcb, &event(DoorbellAction::Set, page.gpa()))?;
        let before = rung(bench, Some(worker));
        let command = u64::from(number) << 32 | ASSERT | u64::from(VECTOR);
        bench.must(&ipi_event(command), ValidFields::empty())?;
        let has_rung = || (rung(bench, Some(worker)) > before).then_some(());
        bench.wait_for(has_rung, "no #HV comes to the other processor")?;
        let taken = events(page, bench, DoorbellFlags::empty())?;
        expect_events(taken, Some(VECTOR), SIGNALLED)?;
        expect("interrupts by their vector", 0, bench.guest.interrupts(Some(worker), VECTOR))?;
        expect("#HV there", before + 1, rung(bench, Some(worker)))?;
        // Its own end of interrupt, which nobody else can signal.
        if !taken.no_eoi_required {
            let end = SaveArea {
                rax: Some(0),
                rcx: Some(END_OF_INTERRUPT.0.into()),
                rdx: Some(0),
                ..SaveArea::request(ExitCode::MSR.0, 1, 0)
            };
            ask_there(bench, number, ghcb, &end)?;
        }
    }
    here.is_silent(bench)
}
