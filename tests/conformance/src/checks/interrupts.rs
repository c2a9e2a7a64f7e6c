//! Interrupts: local APIC by its MSRs, HLT, NMI.

use abi_snp::SevFeatures;
use abi_snp::ghcb::{ExitCode, SaveArea, ValidFields};
use abi_x86::Msr;

use super::check::Check;
use crate::bench::{Bench, expect_done};
use crate::machine::Probe;
use crate::verdict::{Verdict, expect, require, skip};

const X2APIC: &str = "SDM 3A §11.12; APM 24593 §16.11";

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "interrupts/x2apic",
        source: X2APIC,
        hardware: "the local APIC goes into x2APIC mode and tells its ID and version",
        run: x2apic,
    },
    Check {
        name: "interrupts/to-itself",
        source: X2APIC,
        hardware: "an interrupt that the processor sends itself ends HLT and enters the handler \
                   once",
        run: to_itself,
    },
    Check {
        name: "interrupts/masked",
        source: "APM 24593 §8.1.4",
        hardware: "while RFLAGS.IF is clear the interrupt waits, and then comes",
        run: masked,
    },
    Check {
        name: "interrupts/timer",
        source: "SDM 3A §11.5.4",
        hardware: "the local APIC's timer ends HLT, once in one-shot mode",
        run: timer,
    },
    Check {
        name: "interrupts/nmi",
        source: "GHCB 56421 2.04 §4.1, NMI Complete; APM 24593 §15.35.8",
        hardware: "an NMI comes with interrupts off, and the next one after NMI Complete",
        run: nmi,
    },
];

const VERSION: Msr = Msr(0x803);
const ID: Msr = Msr(0x802);
pub(super) const END_OF_INTERRUPT: Msr = Msr(0x80b);
const SPURIOUS: Msr = Msr(0x80f);
pub(super) const INTERRUPT_COMMAND: Msr = Msr(0x830);
pub(super) const TIMER: Msr = Msr(0x832);
pub(super) const TIMER_COUNT: Msr = Msr(0x838);
pub(super) const TIMER_DIVIDE: Msr = Msr(0x83e);

const VECTOR: u8 = 0x31;
const TIMER_VECTOR: u8 = 0x32;
const SPURIOUS_VECTOR: u64 = 0x3f;

/// Interrupt command: to the sender.
pub(super) const TO_ITSELF: u64 = 1 << 18;
/// Interrupt command: asserted.
pub(super) const ASSERT: u64 = 1 << 14;
/// Interrupt command: an NMI.
pub(super) const NMI: u64 = 0b100 << 8;
const NMI_VECTOR: u8 = 2;

/// Switches the local APIC on, in x2APIC mode.
pub(super) fn enable(bench: &Bench) -> Verdict {
    const X2APIC_ENABLED: u64 = 1 << 11 | 1 << 10;
    const ENABLED: u64 = 1 << 8;
    let base = bench.read_msr(Msr::APIC_BASE)?;
    bench.write_msr(Msr::APIC_BASE, base | X2APIC_ENABLED)?;
    bench.write_msr(SPURIOUS, ENABLED | SPURIOUS_VECTOR)
}

/// Skips a check of interrupts that arrive as such, where they do not.
pub(super) fn needs_vectors(bench: &Bench) -> Verdict {
    let features = bench.features();
    if features.contains(SevFeatures::RESTRICTED_INJECTION) {
        return skip("with restricted injection nothing arrives but #HV");
    }
    if features.contains(SevFeatures::ALTERNATE_INJECTION) {
        return skip("with alternate injection the hypervisor injects nothing");
    }
    Ok(())
}

fn x2apic(bench: &mut Bench) -> Verdict {
    enable(bench)?;
    let version = bench.read_msr(VERSION)? & 0xff;
    require((0x10..=0x7f).contains(&version), "version 10 to 7F", version)?;
    expect("ID of the first processor", 0, bench.read_msr(ID)?)
}

/// Waits with HLT, and ends the interrupt.
fn halt(bench: &Bench) -> Verdict {
    expect_done("HLT", &bench.probe(Probe::Halt))?;
    bench.write_msr(END_OF_INTERRUPT, 0)
}

fn to_itself(bench: &mut Bench) -> Verdict {
    needs_vectors(bench)?;
    enable(bench)?;
    for _ in 0..3 {
        let before = bench.guest.interrupts(None, VECTOR);
        bench.write_msr(INTERRUPT_COMMAND, TO_ITSELF | ASSERT | u64::from(VECTOR))?;
        halt(bench)?;
        expect("interrupts", before + 1, bench.guest.interrupts(None, VECTOR))?;
    }
    Ok(())
}

fn masked(bench: &mut Bench) -> Verdict {
    needs_vectors(bench)?;
    enable(bench)?;
    let before = bench.guest.interrupts(None, VECTOR);
    bench.write_msr(INTERRUPT_COMMAND, TO_ITSELF | ASSERT | u64::from(VECTOR))?;
    for _ in 0..3 {
        // Each of these exits, so that the hypervisor could inject.
        bench.must(&SaveArea::request(ExitCode::WBINVD.0, 0, 0), ValidFields::empty())?;
    }
    expect("interrupts while masked", before, bench.guest.interrupts(None, VECTOR))?;
    halt(bench)?;
    expect("interrupts then", before + 1, bench.guest.interrupts(None, VECTOR))
}

fn timer(bench: &mut Bench) -> Verdict {
    needs_vectors(bench)?;
    const DIVIDE_BY_1: u64 = 0b1011;
    const TICKS: u64 = 100_000;
    enable(bench)?;
    bench.write_msr(TIMER_DIVIDE, DIVIDE_BY_1)?;
    bench.write_msr(TIMER, TIMER_VECTOR.into())?;
    for _ in 0..2 {
        let before = bench.guest.interrupts(None, TIMER_VECTOR);
        bench.write_msr(TIMER_COUNT, TICKS)?;
        halt(bench)?;
        expect("interrupts", before + 1, bench.guest.interrupts(None, TIMER_VECTOR))?;
    }
    expect("interrupts", 2, bench.guest.interrupts(None, TIMER_VECTOR))
}

fn nmi(bench: &mut Bench) -> Verdict {
    needs_vectors(bench)?;
    enable(bench)?;
    for number in 1..=3 {
        // To the processor with APIC ID 0, which is this one: NMIs cannot be
        // sent to the sender by shorthand.
        bench.write_msr(INTERRUPT_COMMAND, NMI | ASSERT)?;
        bench.wait_for(
            || (bench.guest.interrupts(None, NMI_VECTOR) >= number).then_some(()),
            "no NMI comes",
        )?;
        expect("NMIs", number, bench.guest.interrupts(None, NMI_VECTOR))?;
        let complete = SaveArea::request(ExitCode::NMI_COMPLETE.0, 0, 0);
        bench.must(&complete, ValidFields::empty())?;
    }
    Ok(())
}
