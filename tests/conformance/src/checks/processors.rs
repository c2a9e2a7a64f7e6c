//! Other processors: started, stopped, interrupted.

use abi_snp::Vmpl;
use abi_snp::ghcb::{
    ApCreation, ApCreationAction, ExitCode, MalformedInput, MsrCall, NaeError, RegisterGhcb,
    SaveArea, ValidFields,
};
use abi_x86::{ExceptionVector, Msr, SIZE_2M};

use super::check::Check;
use super::interrupts::{ASSERT, INTERRUPT_COMMAND, enable, needs_vectors};
use crate::bench::{Bench, expect_done, expect_trap};
use crate::ghcb::{Ghcb, frame};
use crate::machine::{Content, Permissions, Probe, Worker};
use crate::verdict::{Verdict, expect, require, skip};
use crate::workers;

const SOURCE: &str = "GHCB 56421 2.04 §4.1, SNP AP Creation";

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "processors/no-such-processor",
        source: SOURCE,
        hardware: "an APIC ID that no processor has: invalid input (5)",
        run: no_such_processor,
    },
    Check {
        name: "processors/features",
        source: SOURCE,
        hardware: "a save area without SEV-SNP among its features: invalid input (5)",
        run: features,
    },
    Check {
        name: "processors/bad-address",
        source: "Linux/KVM, sev_snp_ap_creation",
        hardware: "a save area at no page, or at a multiple of 2 MiB: invalid input (5)",
        run: bad_address,
    },
    Check {
        name: "processors/bad-action",
        source: SOURCE,
        hardware: "an action that there is not: invalid input (5)",
        run: bad_action,
    },
    Check {
        name: "processors/create",
        source: SOURCE,
        hardware: "each other processor runs a save area that VMPL0 has made",
        run: create,
    },
    Check {
        name: "processors/communication",
        source: "APM 24593 §15.35.5",
        hardware: "intercepts on another processor are #VC there",
        run: communication,
    },
    Check {
        name: "processors/memory",
        source: "APM 24593 §15.36.6",
        hardware: "a page that one processor validates, another one writes and rescinds",
        run: memory,
    },
    Check {
        name: "processors/interrupt",
        source: "SDM 3A §11.6.1, §11.12.9",
        hardware: "an interrupt from another processor ends HLT",
        run: interrupt,
    },
    Check {
        name: "processors/destroy",
        source: SOURCE,
        hardware: "a processor whose save area is destroyed stops, the page can be made ordinary \
                   again, and another save area runs",
        run: destroy,
    },
];

/// The event, for VMPL0 of the processor with this APIC ID.
fn creation(action: ApCreationAction, apic_id: u32, gpa: u64, features: u64) -> SaveArea {
    workers::creation(ApCreation { action, vmpl: Vmpl::Vmpl0, apic_id }, gpa, features)
}

fn refused(bench: &Bench, asked: &SaveArea) -> Verdict {
    let expected = Err(NaeError::Refused(MalformedInput::INVALID_INPUT));
    expect("answer", expected, bench.ask(asked, ValidFields::empty()).map(drop))
}

fn no_such_processor(bench: &mut Bench) -> Verdict {
    let page = bench.save_area_page()?;
    let features = bench.features().bits();
    refused(bench, &creation(ApCreationAction::Create, 0x0fff_fff0, page.gpa(), features))
}

/// Skips a check if there is no second processor.
fn needs_another(bench: &Bench) -> Verdict {
    if bench.guest.processors > 1 { Ok(()) } else { skip("there is one processor only") }
}

fn features(bench: &mut Bench) -> Verdict {
    needs_another(bench)?;
    let page = bench.save_area_page()?;
    refused(bench, &creation(ApCreationAction::Create, 1, page.gpa(), 0))
}

fn bad_address(bench: &mut Bench) -> Verdict {
    needs_another(bench)?;
    let page = bench.save_area_page()?;
    let features = bench.features().bits();
    for gpa in [page.gpa() + 8, page.gpa().next_multiple_of(SIZE_2M)] {
        refused(bench, &creation(ApCreationAction::Create, 1, gpa, features))?;
    }
    Ok(())
}

fn bad_action(bench: &mut Bench) -> Verdict {
    needs_another(bench)?;
    let page = bench.save_area_page()?;
    let asked = SaveArea {
        rax: Some(bench.features().bits()),
        ..SaveArea::request(ExitCode::SNP_AP_CREATION.0, 1 << 32 | 7, page.gpa())
    };
    refused(bench, &asked)
}

/// The other processors that workers can run on.
fn others(bench: &Bench) -> Verdict<core::ops::Range<u32>> {
    needs_another(bench)?;
    Ok(1..bench.guest.processors.min(Worker::MOST_PROCESSORS))
}

fn create(bench: &mut Bench) -> Verdict {
    for number in others(bench)? {
        bench.start_processor(number)?;
    }
    Ok(())
}

/// The other processors that run.
pub(super) fn running(bench: &Bench) -> Verdict<impl Iterator<Item = u32> + use<>> {
    let started = bench.started.processors;
    let others = others(bench)?;
    if !started.contains(&true) {
        return skip("no other processor runs");
    }
    Ok(others.filter(move |number| started[*number as usize]))
}

fn communication(bench: &mut Bench) -> Verdict {
    for number in running(bench)? {
        for (probe, code) in [
            (Probe::Cpuid { leaf: 0, subleaf: 0 }, ExitCode::CPUID),
            (Probe::InByte(0x80), ExitCode::PORT_IO),
            (Probe::ReadMsr(Msr(0x8b)), ExitCode::MSR),
        ] {
            let outcome = bench.on_processor(number, probe)?;
            expect_trap(probe, &outcome, ExceptionVector::VMM_COMMUNICATION, code.0)?;
        }
    }
    Ok(())
}

fn memory(bench: &mut Bench) -> Verdict {
    use crate::machine::Validation;
    for number in running(bench)? {
        let page = bench.private_page()?;
        let write = bench.on_processor(number, Probe::Write(page, 0, 0x4242))?;
        expect_done("write", &write)?;
        expect("content", 0x4242, page.read(0))?;
        let size = abi_snp::PageSize::Size4K;
        let probe = Probe::Pvalidate { page, size, validation: Validation::Rescind };
        let outcome = bench.on_processor(number, probe)?;
        expect_done("PVALIDATE", &outcome)?;
        let result = (outcome.registers.rax, outcome.carry());
        expect("return code and carry", (0, false), result)?;
        let probe = Probe::Read(page, 0);
        let code = ExitCode::PAGE_NOT_VALIDATED.0;
        expect_trap(probe, &bench.probe(probe), ExceptionVector::VMM_COMMUNICATION, code)?;
    }
    Ok(())
}

fn interrupt(bench: &mut Bench) -> Verdict {
    const VECTOR: u8 = 0x33;
    needs_vectors(bench)?;
    enable(bench)?;
    for number in running(bench)? {
        enable_there(bench, number)?;
        let worker = Worker::of_processor(number);
        let before = bench.guest.interrupts(Some(worker), VECTOR);
        bench.guest.order(worker, Probe::Halt);
        let command = u64::from(number) << 32 | ASSERT | u64::from(VECTOR);
        bench.write_msr(INTERRUPT_COMMAND, command)?;
        let result = || bench.guest.result(worker, Probe::Halt);
        let outcome = bench.wait_for(result, "HLT does not end")?;
        expect_done("HLT", &outcome)?;
        expect("interrupts", before + 1, bench.guest.interrupts(Some(worker), VECTOR))?;
    }
    Ok(())
}

/// Gives another processor a GHCB page.
fn ghcb_there(bench: &mut Bench, number: u32) -> Verdict<Ghcb> {
    let page = bench.shared_page()?;
    let call = RegisterGhcb(frame(page));
    let outcome = bench.on_processor(number, Probe::Exit(call.request().encode()))?;
    let answer = call.answer(outcome.edx_eax());
    require(answer.is_ok(), "the page to be registered", answer)?;
    Ok(Ghcb(page))
}

/// Lets another processor ask for an event that must succeed.
pub(super) fn ask_there(bench: &Bench, number: u32, ghcb: Ghcb, asked: &SaveArea) -> Verdict {
    ghcb.prepare(asked);
    expect_done("VMGEXIT", &bench.on_processor(number, Probe::Exit(ghcb.0.gpa()))?)?;
    let answer = SaveArea::load(|offset| ghcb.0.read(offset));
    expect("answer", Some(0), answer.exit_info_1)
}

/// Switches the local APIC of another processor on, and gives the GHCB page
/// that it has got for that.
pub(super) fn enable_there(bench: &mut Bench, number: u32) -> Verdict<Ghcb> {
    let ghcb = ghcb_there(bench, number)?;
    const X2APIC_ENABLED: u64 = 0xfee0_0000 | 1 << 11 | 1 << 10;
    const SPURIOUS: u64 = 1 << 8 | 0x3f;
    for (msr, value) in [(Msr::APIC_BASE, X2APIC_ENABLED), (Msr(0x80f), SPURIOUS)] {
        let asked = SaveArea {
            rax: Some(value),
            rcx: Some(msr.0.into()),
            rdx: Some(0),
            ..SaveArea::request(ExitCode::MSR.0, 1, 0)
        };
        ask_there(bench, number, ghcb, &asked)?;
    }
    Ok(ghcb)
}

fn destroy(bench: &mut Bench) -> Verdict {
    let Some(number) = running(bench)?.last() else { return skip("no other processor runs") };
    let worker = Worker::of_processor(number);
    bench.stop_processor(number)?;
    bench.guest.order(worker, Probe::Rdtsc);
    // Long enough for a processor that ran to have answered.
    for _ in 0..1000 {
        bench.must(&SaveArea::request(ExitCode::WBINVD.0, 0, 0), ValidFields::empty())?;
    }
    let result = bench.guest.result(worker, Probe::Rdtsc);
    require(result.is_none(), "no answer from a processor that was stopped", result)?;
    bench.guest.forget(worker);
    let page = bench.start_processor(number)?;
    bench.stop_processor(number)?;
    let ordinary = Permissions { content: Content::Ordinary, ..workers::SAVE_AREA };
    bench.rmpadjust(page, ordinary)?;
    bench.start_processor(number).map(drop)
}
