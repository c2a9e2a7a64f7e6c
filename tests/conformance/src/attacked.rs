//! Checks that need a host which plays its part: each runs alone, under the
//! scenario of its name.

use abi_snp::Vmpl;
use abi_snp::ghcb::{PortIoWidth, RunVmpl};

use crate::bench::{Bench, request};
use crate::checks::Check;
use crate::console::write_port;
use crate::machine::{Probe, Worker};
use crate::verdict::{Verdict, expect};

const CHECKS: &[Check] = &[Check {
    name: "event-cut-short",
    source: "APM 24593 §15.7.2, §15.20",
    hardware: "an NMI whose delivery a nested page fault cuts short comes when its level runs \
               again, though another one ran in between; it comes once",
    run: event_cut_short,
}];

/// The level that gets the NMI, and the one that runs in between.
const LEVEL: Vmpl = Vmpl::Vmpl2;
const BETWEEN: Vmpl = Vmpl::Vmpl3;

/// A write to this port has the host give [`LEVEL`] an NMI, and run it.
const NMI_PORT: u16 = 0x83;
const NMI_VECTOR: u8 = 2;

/// More than the pages that the worker uses, each of which takes a run.
const MOST_RUNS: usize = 100;

/// The check of this name.
pub(crate) fn named(name: &str) -> Option<&'static Check> {
    CHECKS.iter().find(|check| check.name == name)
}

fn event_cut_short(bench: &mut Bench) -> Verdict {
    bench.start_level(BETWEEN)?;
    bench.prepare_level(LEVEL)?;
    let worker = Worker::of_level(LEVEL);
    let page = bench.save_area(worker, LEVEL)?;
    bench.create_level(LEVEL, page)?;
    bench.guest.order(worker, Probe::Rdtsc);
    run_until(|| bench.guest.result(worker, Probe::Rdtsc).is_some())?;

    let nmis = || bench.guest.interrupts(Some(worker), NMI_VECTOR);
    write_port(bench.ghcb, NMI_PORT, PortIoWidth::One, 0);
    expect("NMIs when the other level has run", 0, nmis())?;
    run_until(|| nmis() != 0)?;
    for _ in 0..3 {
        request(&RunVmpl(LEVEL))?;
    }
    expect("NMIs", 1, nmis())
}

/// Runs the level until there is what `is_done` looks for, or for long enough.
fn run_until(mut is_done: impl FnMut() -> bool) -> Verdict {
    for _ in 0..MOST_RUNS {
        request(&RunVmpl(LEVEL))?;
        if is_done() {
            break;
        }
    }
    Ok(())
}
