//! What a guest tries by itself that only the module may do.

use abi_snp::ghcb::{ExitCode, RunVmpl};
use abi_snp::{PageSize, Vmpl};
use abi_x86::{ExceptionVector, SIZE_4K};

use super::foreign::rescinded_page;
use crate::bench::{Bench, expect_done, expect_trap};
use crate::checks::Check;
use crate::ghcb::call;
use crate::machine::{Permissions, Probe, Validation, View};
use crate::vcpus::GUEST_LEVEL;
use crate::verdict::{Verdict, expect, require};

const FAIL_PERMISSION: u64 = 2;

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "guest/no-pvalidate",
        source: "APM 24594 PVALIDATE; which exception, from memory",
        hardware: "PVALIDATE below VMPL0 is #GP(0)",
        run: no_pvalidate,
    },
    Check {
        name: "guest/no-more-permissions",
        source: "APM 24593 §15.36.7",
        hardware: "RMPADJUST for the guest's own level or one above gives FAIL_PERMISSION (2)",
        run: no_more_permissions,
    },
    Check {
        name: "guest/no-adjusting-of-the-module",
        source: "APM 24593 §15.36.7",
        hardware: "RMPADJUST of the module's page, for a level below the guest's, gives \
                   FAIL_PERMISSION (2): the guest has no permission to hand on",
        run: no_adjusting,
    },
    Check {
        name: "guest/rescinded-page",
        source: "APM 24593 §15.36.10",
        hardware: "a page that the module has rescinded is #VC with code 404",
        run: rescinded,
    },
    Check {
        name: "guest/other-levels",
        source: "GHCB 56421 2.04 §2.3.1",
        hardware: "the host has no save area for VMPL1 or VMPL3, and refuses to run them",
        run: other_levels,
    },
];

fn no_pvalidate(bench: &mut Bench) -> Verdict {
    let page = bench.private_page()?;
    for validation in [Validation::Validate, Validation::Rescind] {
        let probe = Probe::Pvalidate { page, size: PageSize::Size4K, validation };
        expect_trap(probe, &bench.probe(probe), ExceptionVector::GENERAL_PROTECTION, 0)?;
    }
    Ok(())
}

fn no_more_permissions(bench: &mut Bench) -> Verdict {
    let page = bench.private_page()?;
    for vmpl in [Vmpl::Vmpl1, GUEST_LEVEL] {
        let permissions = Permissions::all(vmpl);
        let probe = Probe::Rmpadjust { page, size: PageSize::Size4K, permissions };
        let outcome = bench.probe(probe);
        expect_done("RMPADJUST", &outcome)?;
        expect("return code", FAIL_PERMISSION, outcome.registers.rax)?;
    }
    Ok(())
}

fn no_adjusting(bench: &mut Bench) -> Verdict {
    let module = bench.caller().module.clone();
    for gpa in [module.start, module.end - SIZE_4K] {
        let page = bench.guest.memory.map_outside(gpa, View::Private);
        let permissions = Permissions::all(Vmpl::Vmpl3);
        let probe = Probe::Rmpadjust { page, size: PageSize::Size4K, permissions };
        let outcome = bench.probe(probe);
        expect_done("RMPADJUST", &outcome)?;
        expect("return code", FAIL_PERMISSION, outcome.registers.rax)?;
    }
    Ok(())
}

fn rescinded(bench: &mut Bench) -> Verdict {
    let page = rescinded_page(bench)?;
    let code = ExitCode::PAGE_NOT_VALIDATED.0;
    for probe in [Probe::Read(page, 8), Probe::Write(page, 8, 1)] {
        let outcome = bench.probe(probe);
        expect_trap(probe, &outcome, ExceptionVector::VMM_COMMUNICATION, code)?;
    }
    Ok(())
}

fn other_levels(_bench: &mut Bench) -> Verdict {
    for vmpl in [Vmpl::Vmpl1, Vmpl::Vmpl3] {
        let answer = call(&RunVmpl(vmpl));
        require(answer.is_err(), "an error", answer)?;
    }
    Ok(())
}
