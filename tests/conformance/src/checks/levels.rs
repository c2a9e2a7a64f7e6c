//! VMPL1 to VMPL3, on the processor that the checks run on.

use abi_snp::ghcb::{ExitCode, MsrCall, MsrRequest, RegisterGhcb, SaveArea, ValidFields};
use abi_snp::{PagePermissions, PageSize, Vmpl};
use abi_x86::{ExceptionVector, Msr};

use super::check::Check;
use crate::bench::{Bench, expect_done, expect_trap};
use crate::ghcb::{Ghcb, frame};
use crate::machine::{Content, Permissions, Probe, Validation, Worker};
use crate::verdict::{Verdict, expect, require, skip};

const FAIL_PERMISSION: u64 = 2;

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "levels/start-vmpl1",
        source: "GHCB 56421 2.04 §2.3.1, §4.1; APM 24593 §15.36.7",
        hardware: "a save area for VMPL1 on the same processor runs with Run VMPL, and gives the \
                   processor back",
        run: |bench| bench.start_level(Vmpl::Vmpl1),
    },
    Check {
        name: "levels/start-vmpl2",
        source: "GHCB 56421 2.04 §2.3.1, §4.1; APM 24593 §15.36.7",
        hardware: "as VMPL1",
        run: |bench| bench.start_level(Vmpl::Vmpl2),
    },
    Check {
        name: "levels/start-vmpl3",
        source: "GHCB 56421 2.04 §2.3.1, §4.1; APM 24593 §15.36.7",
        hardware: "as VMPL1",
        run: |bench| bench.start_level(Vmpl::Vmpl3),
    },
    Check {
        name: "levels/registers-kept",
        source: "APM 24593 §15.36.7",
        hardware: "registers of VMPL0 are as before when it runs again",
        run: registers_kept,
    },
    Check {
        name: "levels/by-page",
        source: "GHCB 56421 2.04 §4.1",
        hardware: "Run VMPL by the page does what it does by the GHCB MSR",
        run: by_page,
    },
    Check {
        name: "levels/communication",
        source: "APM 24593 §15.35.5",
        hardware: "at each level, intercepts are #VC to that level",
        run: communication,
    },
    Check {
        name: "levels/own-msr",
        source: "APM 24593 §15.34.10",
        hardware: "at each level, SEV_STATUS reads without an exception and as at VMPL0",
        run: own_msr,
    },
    Check {
        name: "levels/own-ghcb",
        source: "GHCB 56421 2.04 §2.3.1, §2.3.2",
        hardware: "each level has a GHCB MSR of its own and registers a page of its own",
        run: own_ghcb,
    },
    Check {
        name: "levels/no-pvalidate",
        source: "APM 24594 PVALIDATE; which exception, from memory",
        hardware: "PVALIDATE below VMPL0 is #GP(0)",
        run: no_pvalidate,
    },
    Check {
        name: "levels/adjust-not-upwards",
        source: "APM 24593 §15.36.7",
        hardware: "RMPADJUST for the own level or one above gives FAIL_PERMISSION (2)",
        run: adjust_not_upwards,
    },
    Check {
        name: "levels/adjust-within-own",
        source: "APM 24593 §15.36.7",
        hardware: "a level gives a lower one what it has itself (0), and no more: \
                   FAIL_PERMISSION (2)",
        run: adjust_within_own,
    },
    Check {
        name: "levels/permissions-work",
        source: "APM 24593 §15.36.7, §15.36.10",
        hardware: "a level reads and writes a page once VMPL0 has given it the permissions",
        run: permissions_work,
    },
    Check {
        name: "levels/validated-by-vmpl0",
        source: "APM 24593 §15.36.10",
        hardware: "a page that VMPL0 has not validated is #VC with code 404 at other levels too",
        run: not_validated,
    },
    // The last one, for hypervisors that end the guest.
    Check {
        name: "levels/ghcb-not-registered",
        source: "GHCB 56421 2.04 §2.3.2; Linux/KVM ends the guest instead",
        hardware: "a level that has registered no page gets: not registered (1)",
        run: not_registered,
    },
];

/// Skips a check if the level does not run.
fn needs(bench: &Bench, vmpl: Vmpl) -> Verdict {
    match bench.started.levels[usize::from(vmpl.number())] {
        true => Ok(()),
        false => skip("the level does not run"),
    }
}

/// The levels below VMPL0 that run.
fn running(bench: &Bench) -> Verdict<impl Iterator<Item = Vmpl> + use<>> {
    let started = bench.started.levels;
    if !started.contains(&true) {
        return skip("no level below VMPL0 runs");
    }
    let runs = move |vmpl: &Vmpl| started[usize::from(vmpl.number())];
    Ok(Vmpl::ALL.into_iter().filter(runs))
}

fn registers_kept(bench: &mut Bench) -> Verdict {
    for vmpl in running(bench)? {
        let value = MsrRequest::RunVmpl(vmpl).encode();
        let outcome = bench.probe(Probe::Exit(value));
        expect_done("VMGEXIT", &outcome)?;
        expect("answer", 0x17, outcome.edx_eax())?;
    }
    Ok(())
}

fn by_page(bench: &mut Bench) -> Verdict {
    for vmpl in running(bench)? {
        let worker = Worker::of_level(vmpl);
        bench.guest.order(worker, Probe::Rdtsc);
        let asked = SaveArea::request(ExitCode::SNP_RUN_VMPL.0, vmpl.number().into(), 0);
        bench.must(&asked, ValidFields::empty())?;
        let ran = bench.guest.result(worker, Probe::Rdtsc).is_some();
        require(ran, "the level to have run", vmpl)?;
    }
    Ok(())
}

fn communication(bench: &mut Bench) -> Verdict {
    for vmpl in running(bench)? {
        for (probe, code) in [
            (Probe::Cpuid { leaf: 0, subleaf: 0 }, ExitCode::CPUID),
            (Probe::InByte(0x80), ExitCode::PORT_IO),
            (Probe::ReadMsr(Msr(0x8b)), ExitCode::MSR),
            (Probe::Wbinvd, ExitCode::WBINVD),
            (Probe::Vmmcall { rax: 0 }, ExitCode::VMMCALL),
        ] {
            let outcome = bench.at_level(vmpl, probe)?;
            expect_trap(probe, &outcome, ExceptionVector::VMM_COMMUNICATION, code.0)?;
        }
    }
    Ok(())
}

fn own_msr(bench: &mut Bench) -> Verdict {
    let probe = Probe::ReadMsr(Msr::SEV_STATUS);
    let expected = bench.probe(probe).edx_eax();
    for vmpl in running(bench)? {
        let outcome = bench.at_level(vmpl, probe)?;
        expect_done("RDMSR", &outcome)?;
        expect("SEV_STATUS", expected, outcome.edx_eax())?;
    }
    Ok(())
}

fn own_ghcb(bench: &mut Bench) -> Verdict {
    for vmpl in running(bench)? {
        let before = bench.probe(Probe::ReadMsr(Msr::GHCB)).edx_eax();
        let page = bench.shared_page()?;
        let call = RegisterGhcb(frame(page));
        let outcome = bench.at_level(vmpl, Probe::Exit(call.request().encode()))?;
        expect_done("VMGEXIT", &outcome)?;
        let answer = call.answer(outcome.edx_eax());
        require(answer.is_ok(), "the page to be registered", answer)?;

        let ghcb = Ghcb(page);
        ghcb.prepare(&SaveArea {
            rax: Some(0),
            rcx: Some(0),
            ..SaveArea::request(ExitCode::CPUID.0, 0, 0)
        });
        let outcome = bench.at_level(vmpl, Probe::Exit(page.gpa()))?;
        expect_done("VMGEXIT", &outcome)?;
        let answer = SaveArea::load(|offset| page.read(offset));
        expect("error of CPUID", Some(0), answer.exit_info_1)?;
        require(answer.rbx.is_some(), "RBX of CPUID", answer)?;
        // Asking by the MSR since has changed this level's register only to
        // what `at_level` asked.
        let after = bench.probe(Probe::ReadMsr(Msr::GHCB)).edx_eax();
        require(after != page.gpa(), "VMPL0's own value", (before, after))?;
    }
    Ok(())
}

fn not_registered(bench: &mut Bench) -> Verdict {
    const NOT_REGISTERED: (Option<u64>, Option<u64>) = (Some(2), Some(1));
    for vmpl in running(bench)? {
        let page = bench.shared_page()?;
        Ghcb(page).prepare(&SaveArea::request(ExitCode::WBINVD.0, 0, 0));
        let outcome = bench.at_level(vmpl, Probe::Exit(page.gpa()))?;
        expect_done("VMGEXIT", &outcome)?;
        let answer = SaveArea::load(|offset| page.read(offset));
        expect("answer", NOT_REGISTERED, (answer.exit_info_1, answer.exit_info_2))?;
    }
    Ok(())
}

fn no_pvalidate(bench: &mut Bench) -> Verdict {
    for vmpl in running(bench)? {
        let page = bench.private_page()?;
        bench.rmpadjust(page, Permissions::all(vmpl))?;
        let probe =
            Probe::Pvalidate { page, size: PageSize::Size4K, validation: Validation::Rescind };
        let outcome = bench.at_level(vmpl, probe)?;
        expect_trap(probe, &outcome, ExceptionVector::GENERAL_PROTECTION, 0)?;
    }
    Ok(())
}

/// The return code of RMPADJUST at a level.
fn adjust(
    bench: &Bench,
    vmpl: Vmpl,
    page: crate::machine::Page,
    permissions: Permissions,
) -> Verdict<u64> {
    let probe = Probe::Rmpadjust { page, size: PageSize::Size4K, permissions };
    let outcome = bench.at_level(vmpl, probe)?;
    expect_done("RMPADJUST", &outcome)?;
    Ok(outcome.registers.rax)
}

fn adjust_not_upwards(bench: &mut Bench) -> Verdict {
    for vmpl in running(bench)? {
        let page = bench.private_page()?;
        bench.rmpadjust(page, Permissions::all(vmpl))?;
        for target in Vmpl::ALL.into_iter().filter(|target| !vmpl.is_above(*target)) {
            let code = adjust(bench, vmpl, page, Permissions::all(target))?;
            expect("return code", FAIL_PERMISSION, code)?;
        }
    }
    Ok(())
}

fn adjust_within_own(bench: &mut Bench) -> Verdict {
    needs(bench, Vmpl::Vmpl1)?;
    let page = bench.private_page()?;
    let own = PagePermissions::READ | PagePermissions::EXECUTE_USER;
    let content = Content::Ordinary;
    bench.rmpadjust(page, Permissions { vmpl: Vmpl::Vmpl1, allowed: own, content })?;
    let vmpl = Vmpl::Vmpl2;
    for (allowed, code) in [
        (PagePermissions::READ, 0),
        (own, 0),
        (own | PagePermissions::WRITE, FAIL_PERMISSION),
        (PagePermissions::EXECUTE_SUPERVISOR, FAIL_PERMISSION),
    ] {
        let got = adjust(bench, Vmpl::Vmpl1, page, Permissions { vmpl, allowed, content })?;
        expect("return code", code, got)?;
    }
    Ok(())
}

fn permissions_work(bench: &mut Bench) -> Verdict {
    for vmpl in running(bench)? {
        let page = bench.private_page()?;
        bench.rmpadjust(page, Permissions::all(vmpl))?;
        page.write(0, 0x1234);
        let outcome = bench.at_level(vmpl, Probe::Read(page, 0))?;
        expect_done("read", &outcome)?;
        expect("what it reads", 0x1234, outcome.registers.rax)?;
        let outcome = bench.at_level(vmpl, Probe::Write(page, 8, 0x5678))?;
        expect_done("write", &outcome)?;
        expect("what it has written", 0x5678, page.read(8))?;
    }
    Ok(())
}

fn not_validated(bench: &mut Bench) -> Verdict {
    for vmpl in running(bench)? {
        let page = bench.assigned_page(PageSize::Size4K)?;
        let probe = Probe::Read(page, 0);
        let outcome = bench.at_level(vmpl, probe)?;
        let code = ExitCode::PAGE_NOT_VALIDATED.0;
        expect_trap(probe, &outcome, ExceptionVector::VMM_COMMUNICATION, code)?;
    }
    Ok(())
}
