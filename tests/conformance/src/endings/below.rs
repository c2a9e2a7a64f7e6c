//! What ends the guest of a module: accesses to what is the module's, and
//! deleting what runs.

use super::ending::{Ending, Expected, announce};
use crate::bench::Bench;
use crate::machine::{Allowed, Page, Probe, View};
use crate::vcpus::{GUEST_LEVEL, delete};
use crate::verdict::{Verdict, require};

const ACCESS: &str = "APM 24593 §15.36.7, §15.36.10";

pub(super) const ENDINGS: &[Ending] = &[
    Ending {
        name: "read-the-module",
        source: ACCESS,
        hardware: "a read of the module's memory is a nested page fault",
        processors: 1,
        run: |bench| module(bench, 0, |page| Probe::Read(page, 8), 8),
    },
    Ending {
        name: "write-the-module",
        source: ACCESS,
        hardware: "a write to the module's memory is a nested page fault",
        processors: 1,
        run: |bench| module(bench, 0x3000, |page| Probe::Write(page, 8, 1), 8),
    },
    Ending {
        name: "read-the-last-page",
        source: ACCESS,
        hardware: "a read of the module's memory is a nested page fault",
        processors: 1,
        run: |bench| {
            let module = bench.caller().module.clone();
            let last = module.end - module.start - 0x1000;
            self::module(bench, last, |page| Probe::Read(page, 0xff8), 0xff8)
        },
    },
    Ending {
        name: "write-a-save-area",
        source: ACCESS,
        hardware: "a write to a save area that the module has made is a nested page fault",
        processors: 2,
        run: write_save_area,
    },
    Ending {
        name: "exchange-with-a-save-area",
        source: ACCESS,
        hardware: "an exchange with a save area that the module has made is a nested page fault",
        processors: 2,
        run: exchange_save_area,
    },
    Ending {
        name: "write-the-module-as-shared",
        source: "APM 24593 §15.36.10, table 15-39",
        hardware: "a write without C-bit to the module's memory is a nested page fault",
        processors: 1,
        run: module_as_shared,
    },
    Ending {
        name: "delete-what-runs",
        source: "SVSM 58019 §6.4; APM 24593 §15.36.10, entries in use, from memory",
        hardware: "to end a save area that runs on another processor is a nested page fault, \
                   or FAIL_INUSE (3)",
        processors: 2,
        run: delete_running,
    },
];

fn page_of_module(bench: &mut Bench, offset: u64, view: View) -> Page {
    let gpa = bench.caller().module.start + offset;
    bench.guest.memory.map_outside(gpa, view)
}

/// Tries something with a page of the module's.
fn module(bench: &mut Bench, start: u64, probe: fn(Page) -> Probe, offset: u64) -> Verdict {
    let page = page_of_module(bench, start, View::Private);
    announce(Expected::NestedFault(page.gpa() + offset));
    let outcome = bench.probe(probe(page));
    require(false, "the end", outcome.trap)
}

fn module_as_shared(bench: &mut Bench) -> Verdict {
    let page = page_of_module(bench, 0x1000, View::Shared);
    announce(Expected::NestedFault(page.gpa() + 16));
    let outcome = bench.probe(Probe::Write(page, 16, 1));
    require(false, "the end", outcome.trap)
}

/// The save area of the second processor, which runs.
fn running_save_area(bench: &mut Bench) -> Verdict<Page> {
    bench.start_vcpus(2)?;
    Ok(bench.vcpu_pages[1].expect("a processor that was started has a save area"))
}

fn write_save_area(bench: &mut Bench) -> Verdict {
    let page = running_save_area(bench)?;
    let page = bench.guest.memory.map_again(page, View::Private, Allowed::ReadWrite);
    announce(Expected::NestedFault(page.gpa() + 0x178));
    let outcome = bench.probe(Probe::Write(page, 0x178, 0));
    require(false, "the end", outcome.trap)
}

fn exchange_save_area(bench: &mut Bench) -> Verdict {
    let page = running_save_area(bench)?;
    announce(Expected::NestedFault(page.gpa()));
    let outcome = bench.probe(Probe::Exchange(page, 0, u64::from(GUEST_LEVEL.number())));
    require(false, "the end", outcome.trap)
}

fn delete_running(bench: &mut Bench) -> Verdict {
    let page = running_save_area(bench)?;
    announce(Expected::NestedFault(page.gpa()));
    let got = bench.call(delete(page))?;
    require(false, "the end", got)
}
