//! RMPADJUST and RMPQUERY, as VMPL0 uses them.

use abi_snp::ghcb::ExitCode;
use abi_snp::{PagePermissions, PageSize, Vmpl};
use abi_x86::ExceptionVector;

use super::check::Check;
use crate::bench::{Bench, expect_done, expect_trap};
use crate::machine::{Content, Permissions, Probe, View};
use crate::verdict::{Verdict, expect, skip};
use crate::workers::SAVE_AREA;

const SOURCE: &str = "APM 24594 RMPADJUST; APM 24593 §15.36.7";

const FAIL_INPUT: u64 = 1;
const FAIL_PERMISSION: u64 = 2;
const FAIL_SIZE_MISMATCH: u64 = 6;

/// Bit of leaf 8000_001F: RMPQUERY is there.
const RMPQUERY: u32 = 6;

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "permissions/grant",
        source: SOURCE,
        hardware: "VMPL0 gives each level below any permissions, and takes them back: 0",
        run: grant,
    },
    Check {
        name: "permissions/own-level",
        source: SOURCE,
        hardware: "VMPL0 cannot adjust VMPL0: FAIL_PERMISSION (2), whatever the page",
        run: own_level,
    },
    Check {
        name: "permissions/no-such-level",
        source: "APM 24594 RMPADJUST; which code, from memory",
        hardware: "a level above 3 gives FAIL_INPUT (1)",
        run: no_such_level,
    },
    Check {
        name: "permissions/large-of-small",
        source: "APM 24593 §15.36.11, table 15-40",
        hardware: "2 MiB of pages of 4 KiB give FAIL_SIZEMISMATCH (6)",
        run: large_of_small,
    },
    Check {
        name: "permissions/not-validated",
        source: "VeriSMo's model of the processor; from memory otherwise",
        hardware: "a page that is not validated is #VC with code 404",
        run: not_validated,
    },
    Check {
        name: "permissions/not-mapped",
        source: SOURCE,
        hardware: "an address that is not mapped is #PF for a read in supervisor mode",
        run: not_mapped,
    },
    Check {
        name: "permissions/save-area",
        source: "APM 24594 RMPADJUST; APM 24593 §15.36.12",
        hardware: "VMPL0 makes a page a save area and an ordinary page again: 0",
        run: save_area,
    },
    Check {
        name: "permissions/query",
        source: "APM 24594 RMPQUERY",
        hardware: "RMPQUERY gives permissions, page size and kind that RMPADJUST has set",
        run: query,
    },
];

fn grant(bench: &mut Bench) -> Verdict {
    let page = bench.private_page()?;
    page.write(0, 0x99);
    for vmpl in [Vmpl::Vmpl1, Vmpl::Vmpl2, Vmpl::Vmpl3] {
        bench.rmpadjust(page, Permissions::all(vmpl))?;
        let none = Permissions { allowed: PagePermissions::empty(), ..Permissions::all(vmpl) };
        bench.rmpadjust(page, none)?;
    }
    expect("content for VMPL0", 0x99, page.read(0))
}

/// The return code of RMPADJUST.
fn code(bench: &Bench, probe: Probe) -> Verdict<u64> {
    let outcome = bench.probe(probe);
    expect_done("exception", &outcome)?;
    Ok(outcome.registers.rax)
}

fn own_level(bench: &mut Bench) -> Verdict {
    let size = PageSize::Size4K;
    let permissions = Permissions::all(Vmpl::Vmpl0);
    let page = bench.private_page()?;
    let got = code(bench, Probe::Rmpadjust { page, size, permissions })?;
    expect("return code", FAIL_PERMISSION, got)
}

fn no_such_level(bench: &mut Bench) -> Verdict {
    let page = bench.private_page()?;
    expect("return code", FAIL_INPUT, code(bench, Probe::RmpadjustRaw { page, rdx: 4 })?)
}

fn large_of_small(bench: &mut Bench) -> Verdict {
    let page = bench.assigned_page(PageSize::Size2M)?;
    for index in 0..2 {
        let part = bench.guest.memory.map_part(page, index, View::Private);
        bench.pvalidate(part, crate::machine::Validation::Validate)?;
    }
    let permissions = Permissions::all(Vmpl::Vmpl1);
    let got = code(bench, Probe::Rmpadjust { page, size: PageSize::Size2M, permissions })?;
    expect("return code", FAIL_SIZE_MISMATCH, got)
}

fn not_validated(bench: &mut Bench) -> Verdict {
    let page = bench.assigned_page(PageSize::Size4K)?;
    let permissions = Permissions::all(Vmpl::Vmpl1);
    let probe = Probe::Rmpadjust { page, size: PageSize::Size4K, permissions };
    let code = ExitCode::PAGE_NOT_VALIDATED.0;
    expect_trap(probe, &bench.probe(probe), ExceptionVector::VMM_COMMUNICATION, code).map(drop)
}

fn not_mapped(bench: &mut Bench) -> Verdict {
    let page = bench.guest.memory.unmapped();
    let permissions = Permissions::all(Vmpl::Vmpl1);
    let probe = Probe::Rmpadjust { page, size: PageSize::Size4K, permissions };
    let trap = expect_trap(probe, &bench.probe(probe), ExceptionVector::PAGE_FAULT, 0)?;
    expect("CR2", page.address(), trap.cr2)
}

fn save_area(bench: &mut Bench) -> Verdict {
    let page = bench.private_page()?;
    bench.rmpadjust(page, SAVE_AREA)?;
    bench.rmpadjust(page, Permissions { content: Content::Ordinary, ..SAVE_AREA })
}

fn query(bench: &mut Bench) -> Verdict {
    if !bench.has_encryption_feature(RMPQUERY) {
        return skip("the processor has no RMPQUERY");
    }
    let page = bench.private_page()?;
    let vmpl = Vmpl::Vmpl2;
    for (allowed, content) in [
        (PagePermissions::READ | PagePermissions::WRITE, Content::Ordinary),
        (PagePermissions::READ | PagePermissions::EXECUTE_USER, Content::Ordinary),
        (PagePermissions::empty(), Content::SaveArea),
    ] {
        bench.rmpadjust(page, Permissions { vmpl, allowed, content })?;
        let outcome = bench.probe(Probe::Rmpquery { page, vmpl });
        expect_done("exception", &outcome)?;
        expect("return code", 0, outcome.registers.rax)?;
        expect("page size", PageSize::Size4K as u64, outcome.registers.rcx)?;
        let kind = u64::from(content == Content::SaveArea) << 16;
        let expected = kind | u64::from(allowed.bits()) << 8 | u64::from(vmpl.number());
        expect("level, permissions, kind", expected, outcome.registers.rdx)?;
    }
    Ok(())
}
