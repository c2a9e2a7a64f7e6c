//! Processors that go and come back, again and again.
//!
//! Each round ends and begins a virtual processor with code that runs there: it
//! reads the time stamp counter and makes a call of its own.

use abi_svsm::{Protocol, ResultCode};
use alloc::format;

use super::format::query_for;
use crate::bench::Bench;
use crate::checks::Check;
use crate::machine::{Page, Worker};
use crate::vcpus::{create, delete};
use crate::verdict::{Verdict, expect};

/// All processors take part.
const PROCESSORS: u32 = 4;
/// How often each of them but the first goes and comes back, in each check.
const ROUNDS: u32 = 12;

const SUCCESS: ResultCode = ResultCode::SUCCESS;

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "rounds/same-save-area",
        source: "SVSM 58019 §6.3, §6.4",
        hardware: "a processor that was stopped is deleted, made again in the same page, and runs",
        run: same_save_area,
    },
    Check {
        name: "rounds/new-save-area",
        source: "SVSM 58019 §6.3, §6.4; Linux, wakeup_cpu_via_vmgexit",
        hardware: "a processor that was stopped is made in another page, and runs, before the \
                   first page is deleted",
        run: new_save_area,
    },
    Check {
        name: "rounds/deletes-itself",
        source: "SVSM 58019 §6.4",
        hardware: "a processor that deletes itself stops; made again in the same page it runs",
        run: deletes_itself,
    },
];

/// Does `round` for each processor but the first, round by round, so that
/// others run while one is away.
fn rounds(bench: &mut Bench, mut round: impl FnMut(&mut Bench, u32) -> Verdict) -> Verdict {
    bench.start_vcpus(PROCESSORS)?;
    for _ in 0..ROUNDS {
        for processor in 1..PROCESSORS {
            round(bench, processor)?;
            calls(bench, processor)?;
        }
    }
    for processor in 1..PROCESSORS {
        calls(bench, processor)?;
    }
    Ok(())
}

/// A processor calls, and is answered.
fn calls(bench: &mut Bench, processor: u32) -> Verdict {
    let query = query_for(Protocol::CORE, 1);
    bench.caller().order(&bench.guest, processor, query);
    let result = bench.wait_for_call(processor, query)?;
    expect(&format!("result of a call of processor {processor}"), SUCCESS, result)
}

/// Makes a processor in `page`, which is an ordinary one, and runs it.
fn make(bench: &mut Bench, processor: u32, page: Page) -> Verdict {
    bench.fill_vcpu_page(page, Worker::of_processor(processor));
    let area = bench.caller().area(processor);
    let call = create(page, area, processor);
    bench.succeeds(&format!("result of making processor {processor}"), call)?;
    bench.enter_vcpu(processor, page)
}

fn same_save_area(bench: &mut Bench) -> Verdict {
    rounds(bench, |bench, processor| {
        let page = bench.stop_vcpu(processor)?;
        bench.succeeds("result of deleting", delete(page))?;
        make(bench, processor, page)
    })
}

fn new_save_area(bench: &mut Bench) -> Verdict {
    let mut spare = bench.save_area_page()?;
    rounds(bench, |bench, processor| {
        let page = bench.stop_vcpu(processor)?;
        make(bench, processor, spare)?;
        spare = page;
        bench.succeeds("result of deleting", delete(page)).map(drop)
    })
}

fn deletes_itself(bench: &mut Bench) -> Verdict {
    rounds(bench, |bench, processor| {
        let page = bench.vcpu_page_of(processor);
        bench.caller().order(&bench.guest, processor, delete(page));
        // A processor that runs must not be deleted by another one: first the
        // module has to take the call.
        let area = bench.caller().area(processor);
        let is_taken = || (area.read(0) & 0xff == 0).then_some(());
        bench.wait_for(is_taken, "the module does not take a processor's call")?;
        // Until it is none any more, its call is served.
        bench.wait_for(
            || match bench.call(delete(page)).map(|got| ResultCode::from_rax(got.rax)) {
                Ok(ResultCode::IN_USE | ResultCode::BUSY) => None,
                Ok(ResultCode::INVALID_PARAMETER) => Some(Ok(())),
                Ok(other) => Some(expect("result", ResultCode::INVALID_PARAMETER, other)),
                Err(objection) => Some(Err(objection)),
            },
            "a processor that deletes itself is not deleted",
        )??;
        bench.guest.forget(Worker::of_processor(processor));
        make(bench, processor, page)
    })
}
