//! Virtual processors that several processors make and delete at the same time.
//!
//! Who comes first is the machine's affair. What may come out is not: each call
//! ends with one of the results that its rivals leave it, and what one can have,
//! one gets.

use abi_svsm::{Protocol, ResultCode};

use super::crowd::is_one_of;
use super::format::query_for;
use super::save_area::{SPARE, start};
use crate::bench::Bench;
use crate::checks::Check;
use crate::vcpus::{create, delete};
use crate::verdict::{Verdict, expect, require};

/// How often.
const ROUNDS: usize = 25;

const SUCCESS: ResultCode = ResultCode::SUCCESS;
const ADDRESS: ResultCode = ResultCode::INVALID_ADDRESS;
const BUSY: ResultCode = ResultCode::BUSY;

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "race/create-the-same-save-area",
        source: "SVSM 58019 §6.3, §6.4",
        hardware: "of processors that make the same save area, or delete it, one does",
        run: create_race,
    },
    Check {
        name: "race/create-and-delete",
        source: "SVSM 58019 §6.3, §6.4",
        hardware: "while processors make and delete virtual processors, each call ends",
        run: create_and_delete,
    },
];

fn create_race(bench: &mut Bench) -> Verdict {
    start(bench)?;
    let page = bench.idle_vcpu_page(|_| {})?;
    let area = bench.private_page()?;
    let query = query_for(Protocol::CORE, 1);
    for _ in 0..ROUNDS {
        let make = create(page, area, SPARE);
        let calls = [make, make, make];
        let results = bench.call_everywhere(calls)?;
        for result in results {
            is_one_of("making", &[SUCCESS, ADDRESS, BUSY], result)?;
        }
        let winners = results.iter().filter(|result| **result == SUCCESS).count();
        require(winners <= 1, "one processor at most", winners)?;
        if winners == 0 {
            bench.succeeds("making it alone", make)?;
        }
        let results = bench.call_everywhere([delete(page); 3])?;
        for result in results {
            let [parameter, in_use] = [ResultCode::INVALID_PARAMETER, ResultCode::IN_USE];
            is_one_of("deleting", &[SUCCESS, parameter, in_use, BUSY], result)?;
        }
        let winners = results.iter().filter(|result| **result == SUCCESS).count();
        expect("processors that deleted it", 1, winners)?;
        bench.succeeds("a call in between", query)?;
        // The module has changed it; it must be one again.
        page.write(core::mem::offset_of!(abi_snp::Vmsa, efer), svme());
    }
    Ok(())
}

/// What a save area has in EFER that can run.
fn svme() -> u64 {
    use abi_x86::Efer;
    (Efer::SVME | Efer::LME | Efer::LMA | Efer::NXE).bits()
}

fn create_and_delete(bench: &mut Bench) -> Verdict {
    start(bench)?;
    let [first, second] = [bench.idle_vcpu_page(|_| {})?, bench.idle_vcpu_page(|_| {})?];
    let [one, two] = [bench.private_page()?, bench.private_page()?];
    for _ in 0..ROUNDS {
        let calls = [create(first, one, SPARE), delete(first), create(second, two, SPARE)];
        for result in bench.call_everywhere(calls)? {
            let [parameter, in_use] = [ResultCode::INVALID_PARAMETER, ResultCode::IN_USE];
            is_one_of("result", &[SUCCESS, ADDRESS, BUSY, parameter, in_use], result)?;
        }
        // None of the two is left.
        for page in [first, second] {
            let result = ResultCode::from_rax(bench.call(delete(page))?.rax);
            is_one_of("deleting", &[SUCCESS, ResultCode::INVALID_PARAMETER], result)?;
            page.write(core::mem::offset_of!(abi_snp::Vmsa, efer), svme());
        }
    }
    Ok(())
}
