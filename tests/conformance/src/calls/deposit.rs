//! Pages that the guest gives the module, and takes back.

use abi_svsm::ResultCode;
use abi_svsm::core_protocol::CoreCallNumber;
use alloc::vec::Vec;

use super::format::core;
use crate::bench::Bench;
use crate::caller::write_list;
use crate::checks::Check;
use crate::vcpus::remap;
use crate::verdict::{Verdict, expect, require};

const ADDRESS: ResultCode = ResultCode::INVALID_ADDRESS;

pub(super) const CHECKS: &[Check] = &[Check {
    name: "deposit/there-and-back",
    source: "SVSM 58019 §6.5, §6.6",
    hardware: "a page that was given is no longer the guest's to name; what comes back is the \
               guest's, and all zeros",
    run: there_and_back,
}];

/// What is in a page before it is given.
const MARK: u64 = 0x5ec2_e75e_c2e7_0001;
/// Where a list that the module writes has its entries.
const ENTRIES: usize = 8;

fn there_and_back(bench: &mut Bench) -> Verdict {
    let list = bench.private_page()?;
    let mut pages = Vec::new();
    for _ in 0..4 {
        let page = bench.private_page()?;
        page.write(8, MARK);
        pages.push(page);
    }
    let words: Vec<u64> = pages.iter().map(|page| page.gpa()).collect();
    let deposit = core(CoreCallNumber::DEPOSIT_MEMORY, write_list(list, 0, &words).address());
    bench.succeeds("result of giving", deposit)?;
    for page in &pages {
        let again = write_list(list, 0, &[page.gpa()]).address();
        for number in [CoreCallNumber::DEPOSIT_MEMORY, CoreCallNumber::VALIDATE] {
            bench.refused("a page that was given", core(number, again), ADDRESS)?;
            bench.refused("a list that was given", core(number, page.gpa()), ADDRESS)?;
        }
        bench.refused("a calling area that was given", remap(*page), ADDRESS)?;
    }
    let withdraw = core(CoreCallNumber::WITHDRAW_MEMORY, list.gpa());
    bench.succeeds("result of taking back", withdraw)?;
    let count = (list.read(0) & 0xffff) as usize;
    require(count <= 511, "a count that fits the page", count)?;
    for index in 0..count {
        let gpa = list.read(ENTRIES + 8 * index);
        let page = pages.iter().find(|page| page.gpa() == gpa);
        let Some(page) = page else { return require(false, "a page that was given", gpa) };
        for offset in (0..4096).step_by(8) {
            expect("word of a page that comes back", 0, page.read(offset))?;
        }
        page.write(8, MARK);
    }
    Ok(())
}
