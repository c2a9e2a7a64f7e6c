//! Pages that are not the guest's to name in a call.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use abi_x86::SIZE_4K;

use super::save_area::{SPARE, start};
use crate::bench::Bench;
use crate::machine::{Page, Worker};
use crate::verdict::Verdict;

/// A page that no call may reach, and what it is.
#[derive(Clone, Debug)]
pub(super) struct Foreign {
    pub(super) what: String,
    pub(super) gpa: u64,
}

impl Foreign {
    fn new(what: &str, gpa: u64) -> Self {
        Self { what: what.into(), gpa }
    }
}

/// A page that is still private, and that the module has rescinded for the guest.
pub(super) fn rescinded_page(bench: &mut Bench) -> Verdict<Page> {
    let page = bench.private_page()?;
    bench.caller().rescind(&bench.guest, page.gpa())?;
    Ok(page)
}

/// Pages of all kinds that no call may reach: the module's, shared ones, those
/// that are not validated, those that there are not, and save areas and calling
/// areas of other processors that run.
pub(super) fn foreign_pages(bench: &mut Bench) -> Verdict<Vec<Foreign>> {
    let mut pages = unreachable_pages(bench)?;
    pages.push(Foreign::new("a page that is not validated", rescinded_page(bench)?.gpa()));
    pages.push(Foreign::new("a shared page", bench.ghcb.0.gpa()));
    Ok(pages)
}

/// As [`foreign_pages`], but for those that the guest may have validated.
pub(super) fn unreachable_pages(bench: &mut Bench) -> Verdict<Vec<Foreign>> {
    if bench.guest.processors > SPARE {
        start(bench)?;
    }
    let module = bench.caller().module.clone();
    let own = bench.guest.memory.own();
    let mut pages = Vec::from([
        Foreign::new("the module's first page", module.start),
        Foreign::new("a page of the module's", module.start + (module.end - module.start) / 2),
        Foreign::new("the module's last page", module.end - SIZE_4K),
        Foreign::new("the local APIC's page", 0xfee0_0000),
        Foreign::new("a page behind all memory", 1 << 45),
        Foreign::new(
            "a page of the guest's with the C-bit",
            own.start | bench.guest.memory.c_bit_mask(),
        ),
        Foreign::new("the last page that there could be", !(SIZE_4K - 1)),
    ]);
    for processor in 1..Worker::MOST_PROCESSORS {
        let Some(save_area) = bench.vcpu_pages[processor as usize] else { continue };
        let area = bench.caller().area(processor).gpa();
        pages.push(Foreign::new(&format!("save area of processor {processor}"), save_area.gpa()));
        pages.push(Foreign::new(&format!("calling area of processor {processor}"), area));
    }
    Ok(pages)
}
