//! Secure TSC: a time stamp counter that is the guest's own.

use abi_snp::{SevFeatures, TscInfo};
use abi_x86::ExceptionVector;

use super::check::Check;
use super::processors::running;
use crate::bench::{Bench, expect_done, expect_trap};
use crate::machine::{GUEST_TSC_FREQUENCY, Mode, Probe, time_stamp};
use crate::verdict::{Verdict, expect, require, skip};

const SOURCE: &str = "APM 24593 §15.36.18";

macro_rules! check {
    ($name:literal, $hardware:literal, $run:expr) => {
        Check {
            name: concat!("secure-tsc/", $name),
            source: SOURCE,
            hardware: $hardware,
            run: $run,
        }
    };
}

pub(super) const CHECKS: &[Check] = &[
    check!(
        "frequency",
        "GUEST_TSC_FREQ reads without an exception, at least 100 MHz; writing it is #GP(0)",
        frequency
    ),
    check!(
        "factor",
        "the secrets page and the security processor tell the same factor, below 1",
        factor
    ),
    check!(
        "goes-on",
        "RDTSC and RDTSCP of supervisor and user mode run, on one counter that never goes back",
        goes_on
    ),
    check!(
        "other-processor",
        "another processor counts with the scale and the offset of its own save area",
        other_processor
    ),
];

fn needs_secure_tsc(bench: &Bench) -> Verdict {
    if bench.features().contains(SevFeatures::SECURE_TSC) {
        return Ok(());
    }
    skip("this image does not ask for Secure TSC")
}

fn frequency(bench: &mut Bench) -> Verdict {
    needs_secure_tsc(bench)?;
    let outcome = bench.probe(Probe::ReadMsr(GUEST_TSC_FREQUENCY));
    expect_done("RDMSR", &outcome)?;
    require(outcome.edx_eax() & 0x3_ffff >= 100, "at least 100 MHz", outcome.edx_eax())?;
    let write = Probe::WriteMsr(GUEST_TSC_FREQUENCY, 1);
    let outcome = bench.probe(write);
    expect_trap(write, &outcome, ExceptionVector::GENERAL_PROTECTION, 0).map(drop)
}

/// What the security processor has told, in an earlier check.
fn info(bench: &Bench) -> Verdict<TscInfo> {
    needs_secure_tsc(bench)?;
    bench.tsc.map_or_else(|| skip("the security processor has told nothing of it"), Ok)
}

fn factor(bench: &mut Bench) -> Verdict {
    let told = info(bench)?.factor;
    expect("factor in the secrets page", told, bench.guest.secrets.tsc_factor)?;
    require(told < 100_000, "less than 100 000 hundred-thousandths", told)
}

fn goes_on(bench: &mut Bench) -> Verdict {
    needs_secure_tsc(bench)?;
    let mut last = time_stamp();
    for _ in 0..4 {
        for mode in [Mode::Supervisor, Mode::User] {
            for probe in [Probe::Rdtsc, Probe::Rdtscp] {
                let outcome = bench.guest.try_out(probe, mode);
                expect_done("time stamp", &outcome)?;
                require(outcome.edx_eax() > last, "a later time stamp", outcome.edx_eax())?;
                last = outcome.edx_eax();
            }
        }
    }
    Ok(())
}

fn other_processor(bench: &mut Bench) -> Verdict {
    const OFFSET: u64 = 0x1234_5678_9abc;
    /// Both values are rounded down.
    const ROUNDING: u64 = 2;
    let TscInfo { scale, offset, .. } = info(bench)?;
    let Some(number) = running(bench)?.last() else { return skip("no other processor runs") };
    bench.stop_processor(number)?;
    // Twice as fast; and once more as fast, but elsewhere.
    for factor in [2, 1] {
        bench.start_changed_processor(number, |vmsa| {
            (vmsa.guest_tsc_scale, vmsa.guest_tsc_offset) = (factor * scale, OFFSET);
        })?;
        for probe in [Probe::Rdtsc, Probe::Rdtscp] {
            let there = |here: u64| (here - offset) * factor + OFFSET;
            let before = there(time_stamp());
            let outcome = bench.on_processor(number, probe)?;
            let after = there(time_stamp());
            expect_done("time stamp", &outcome)?;
            let found = outcome.edx_eax();
            let range = before - ROUNDING..=after + ROUNDING;
            require(range.contains(&found), "a time stamp in between", (before, found, after))?;
        }
        bench.stop_processor(number)?;
    }
    bench.start_processor(number).map(drop)
}
