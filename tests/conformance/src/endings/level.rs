//! Levels below VMPL0 that do what they may not, and save areas that cannot run.

use abi_snp::ghcb::RunVmpl;
use abi_snp::{PagePermissions, PageSize, Vmpl};
use abi_x86::Efer;
use zerocopy::IntoBytes;

use super::ending::{Ending, Expected, announce};
use crate::bench::{Bench, request};
use crate::machine::{Allowed, Content, Page, Permissions, Probe, View, Worker};
use crate::save_area::save_area;
use crate::verdict::Verdict;
use crate::workers::SAVE_AREA;

const ACCESS: &str = "APM 24593 §15.36.7, §15.36.10";
const VMPL: Vmpl = Vmpl::Vmpl1;

pub(super) const ENDINGS: &[Ending] = &[
    Ending {
        name: "level-reads",
        source: ACCESS,
        hardware: "a level that reads a page without the permission causes a nested page fault",
        processors: 1,
        run: |bench| access(bench, PagePermissions::empty(), |page| Probe::Read(page, 8), 8),
    },
    Ending {
        name: "level-writes",
        source: ACCESS,
        hardware: "a level that writes a page which it may only read causes a nested page fault",
        processors: 1,
        run: |bench| access(bench, PagePermissions::READ, |page| Probe::Write(page, 8, 1), 8),
    },
    Ending {
        name: "level-executes",
        source: ACCESS,
        hardware: "a level whose supervisor mode executes a page that only its user mode may \
                   causes a nested page fault",
        processors: 1,
        run: execute,
    },
    Ending {
        name: "page-that-is-no-save-area",
        source: "APM 24593 §15.36.12, table 15-41",
        hardware: "running a page that RMPADJUST has not made a save area fails: VMEXIT_INVALID",
        processors: 1,
        run: no_save_area,
    },
    Ending {
        name: "save-area-without-svme",
        source: "APM 24593 §15.5.1",
        hardware: "running a save area whose EFER lacks SVME fails: VMEXIT_INVALID",
        processors: 1,
        run: without_svme,
    },
    Ending {
        name: "adjust-running-save-area",
        source: "APM 24593 §15.36.10, entries in use; from memory otherwise",
        hardware: "RMPADJUST of a save area that runs on another processor does not succeed: a \
                   nested page fault, or FAIL_INUSE (3)",
        processors: 2,
        run: adjust_running,
    },
];

/// Lets a level with these permissions try something with a page.
fn access(
    bench: &mut Bench,
    allowed: PagePermissions,
    probe: fn(Page) -> Probe,
    offset: u64,
) -> Verdict {
    bench.start_level(VMPL)?;
    let page = bench.private_page()?;
    bench.rmpadjust(page, Permissions { vmpl: VMPL, allowed, content: Content::Ordinary })?;
    announce(Expected::NestedFault(page.gpa() + offset));
    bench.at_level(VMPL, probe(page)).map(drop)
}

fn execute(bench: &mut Bench) -> Verdict {
    bench.start_level(VMPL)?;
    let page = bench.private_page()?;
    page.make_return();
    let code = bench.guest.memory.map_again(page, View::Private, Allowed::Execute);
    let allowed = PagePermissions::READ | PagePermissions::EXECUTE_USER;
    bench.rmpadjust(page, Permissions { vmpl: VMPL, allowed, content: Content::Ordinary })?;
    announce(Expected::NestedFault(page.gpa()));
    bench.at_level(VMPL, Probe::Call(code)).map(drop)
}

fn no_save_area(bench: &mut Bench) -> Verdict {
    bench.prepare_level(VMPL)?;
    let page = bench.save_area(Worker::of_level(VMPL), VMPL)?;
    bench.rmpadjust(page, Permissions { content: Content::Ordinary, ..SAVE_AREA })?;
    bench.create_level(VMPL, page)?;
    announce(Expected::InvalidSaveArea);
    request(&RunVmpl(VMPL))
}

fn without_svme(bench: &mut Bench) -> Verdict {
    bench.prepare_level(VMPL)?;
    let page = bench.save_area_page()?;
    let state = bench.guest.start_state(Worker::of_level(VMPL));
    let mut content = save_area(&state, VMPL, bench.features());
    content.efer.remove(Efer::SVME);
    page.store(0, content.as_bytes());
    bench.rmpadjust(page, SAVE_AREA)?;
    bench.create_level(VMPL, page)?;
    announce(Expected::InvalidSaveArea);
    request(&RunVmpl(VMPL))
}

fn adjust_running(bench: &mut Bench) -> Verdict {
    let page = bench.start_processor(1)?;
    announce(Expected::NestedFault(page.gpa()));
    let permissions = Permissions { content: Content::Ordinary, ..SAVE_AREA };
    let probe = Probe::Rmpadjust { page, size: PageSize::Size4K, permissions };
    let outcome = bench.probe(probe);
    crate::verdict::require(false, "the end", outcome.registers.rax)
}
