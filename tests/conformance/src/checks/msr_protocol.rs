//! Requests by the GHCB MSR, each with its answer.

use abi_snp::Vmpl;
use abi_snp::ghcb::{
    AskCpuid, AskHypervisorFeatures, AskPreferredGhcb, AskSevInformation, AssignPage,
    CpuidRegister, ExitCode, GuestFrame, HypervisorFeatures, MsrCallFault, PageAssignment,
    RegisterGhcb, RunVmpl, SaveArea, ValidFields,
};

use super::check::Check;
use crate::bench::{Bench, assign, request};
use crate::ghcb::{call, frame};
use crate::machine::Probe;
use crate::verdict::{Verdict, expect, require};

const SOURCE: &str = "GHCB 56421 2.04 §2.3.1";

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "msr-protocol/sev-information",
        source: SOURCE,
        hardware: "the hypervisor speaks version 2 of the protocol",
        run: sev_information,
    },
    Check {
        name: "msr-protocol/cpuid",
        source: SOURCE,
        hardware: "each register of CPUID is what the event by the page gives",
        run: cpuid,
    },
    Check {
        name: "msr-protocol/preferred-ghcb",
        source: SOURCE,
        hardware: "the hypervisor names a page or none",
        run: preferred_ghcb,
    },
    Check {
        name: "msr-protocol/register-ghcb",
        source: SOURCE,
        hardware: "registering a page answers with the same page",
        run: register_ghcb,
    },
    Check {
        name: "msr-protocol/features",
        source: SOURCE,
        hardware: "the hypervisor offers SEV-SNP and the creation of processors",
        run: features,
    },
    Check {
        name: "msr-protocol/page-state",
        source: SOURCE,
        hardware: "a page becomes private, shared and private again",
        run: page_state,
    },
    Check {
        name: "msr-protocol/page-state-refused",
        source: SOURCE,
        hardware: "a page where the guest has no memory is refused with an error that is not 0",
        run: page_state_refused,
    },
    Check {
        name: "msr-protocol/run-vmpl-refused",
        source: SOURCE,
        hardware: "a level without a save area is refused with an error that is not 0",
        run: run_vmpl_refused,
    },
    Check {
        name: "msr-protocol/registers",
        source: "APM 24593 §15.35.6",
        hardware: "VMGEXIT keeps all registers",
        run: registers,
    },
];

/// Above all memory that a guest of this size has.
const NO_MEMORY: u64 = 1 << 46;

fn sev_information(_: &mut Bench) -> Verdict {
    let information = request(&AskSevInformation)?;
    let speaks = (information.min_version..=information.max_version).contains(&2);
    require(speaks, "version 2 among those of the hypervisor", information)
}

fn cpuid(bench: &mut Bench) -> Verdict {
    for function in [0, 0x4000_0000, 0x8000_0000, 0x8000_0002, 0x8000_001f] {
        let asked = SaveArea {
            rax: Some(function.into()),
            rcx: Some(0),
            ..SaveArea::request(ExitCode::CPUID.0, 0, 0)
        };
        let all = ValidFields::RAX | ValidFields::RBX | ValidFields::RCX | ValidFields::RDX;
        let page = bench.must(&asked, all)?;
        let mut values = [0; 4];
        for (value, register) in values.iter_mut().zip(CpuidRegister::ALL) {
            *value = u64::from(request(&AskCpuid { function, register })?);
        }
        expect("EAX to EDX", [page.rax, page.rbx, page.rcx, page.rdx], values)?;
    }
    Ok(())
}

fn preferred_ghcb(_: &mut Bench) -> Verdict {
    request(&AskPreferredGhcb).map(drop)
}

fn register_ghcb(bench: &mut Bench) -> Verdict {
    request(&RegisterGhcb(frame(bench.ghcb.0)))
}

fn features(_: &mut Bench) -> Verdict {
    let features = request(&AskHypervisorFeatures)?;
    let least = HypervisorFeatures::SNP | HypervisorFeatures::AP_CREATION;
    require(features.contains(least), "SNP and AP_CREATION", features)
}

fn page_state(bench: &mut Bench) -> Verdict {
    let page = bench.assigned_page(abi_snp::PageSize::Size4K)?;
    assign(page, PageAssignment::Shared)?;
    assign(page, PageAssignment::Private)
}

fn page_state_refused(_: &mut Bench) -> Verdict {
    let frame = GuestFrame::at(NO_MEMORY).expect("it is aligned");
    let answer = call(&AssignPage { frame, assignment: PageAssignment::Private });
    let fault = answer.map_err(|error| error.fault);
    require(matches!(fault, Err(MsrCallFault::RefusedWith(_))), "an error", fault)
}

fn run_vmpl_refused(bench: &mut Bench) -> Verdict {
    // The last level gets its save area later.
    let fault = call(&RunVmpl(Vmpl::Vmpl3)).map_err(|error| error.fault);
    require(!bench.started.levels[3], "a level that was not started", bench.started)?;
    require(matches!(fault, Err(MsrCallFault::RefusedWith(_))), "an error", fault)
}

fn registers(bench: &mut Bench) -> Verdict {
    use abi_snp::ghcb::MsrCall;
    let outcome = bench.probe(Probe::Exit(AskSevInformation.request().encode()));
    crate::bench::expect_done("exception", &outcome)
}
