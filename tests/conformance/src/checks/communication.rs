//! #VC exceptions: which instructions raise them, with which codes, on which
//! stacks; and what must not raise one.

use abi_snp::ghcb::ExitCode;
use abi_x86::{ExceptionVector, Msr};

use super::check::Check;
use crate::bench::{Bench, expect_done, expect_trap};
use crate::machine::{HandlerStack, Mode, Probe, set_communication_stack};
use crate::verdict::{Verdict, expect, require};

/// The microcode's patch level: no hypervisor leaves it to the guest.
const PATCH_LEVEL: Msr = Msr(0x8b);
/// Delays, in old PCs: nothing follows from reading or writing it.
const DELAY_PORT: u16 = 0x80;

macro_rules! reflected {
    ($name:literal, $instruction:literal, $code:expr, $probe:expr) => {
        Check {
            name: concat!("communication/", $name),
            source: "APM 24593 §15.35.5, §15.35.7",
            hardware: concat!(
                $instruction,
                " is #VC with the exit code as error code, RIP at the instruction, all registers \
                 kept, on the current stack and on one of the interrupt stack table"
            ),
            run: |bench| supervisor(bench, $probe, $code),
        }
    };
}

macro_rules! reflected_from_user_mode {
    ($name:literal, $instruction:literal, $code:expr, $probe:expr) => {
        Check {
            name: concat!("communication/user-", $name),
            source: "APM 24593 §15.35.5; §8.9.3",
            hardware: concat!(
                $instruction,
                " in user mode is #VC as in supervisor mode, on the stack that the task state has \
                 for level 0"
            ),
            run: |bench| user(bench, $probe, $code),
        }
    };
}

const CPUID: Probe = Probe::Cpuid { leaf: 0, subleaf: 0 };

pub(super) const CHECKS: &[Check] = &[
    reflected!("cpuid", "CPUID", ExitCode::CPUID, CPUID),
    reflected!("in", "IN of a byte", ExitCode::PORT_IO, Probe::InByte(DELAY_PORT)),
    reflected!("in-word", "IN of 4 bytes", ExitCode::PORT_IO, Probe::InWord(DELAY_PORT)),
    reflected!("out", "OUT of a byte", ExitCode::PORT_IO, Probe::OutByte(DELAY_PORT, 0)),
    reflected!("rdmsr", "RDMSR", ExitCode::MSR, Probe::ReadMsr(PATCH_LEVEL)),
    reflected!("wrmsr", "WRMSR", ExitCode::MSR, Probe::WriteMsr(Msr(0x4000_00ff), 0)),
    reflected!("rdpmc", "RDPMC", ExitCode::RDPMC, Probe::Rdpmc(0)),
    reflected!("wbinvd", "WBINVD", ExitCode::WBINVD, Probe::Wbinvd),
    reflected!("invd", "INVD", ExitCode::INVD, Probe::Invd),
    reflected!("vmmcall", "VMMCALL", ExitCode::VMMCALL, Probe::Vmmcall { rax: 0 }),
    Check {
        name: "communication/monitor-mwait",
        source: "APM 24593 §15.35.5",
        hardware: "MONITOR and MWAIT are #VC with codes 8A and 8B (MWAIT 8C where the hypervisor \
                   asks for armed ones only)",
        run: monitor_mwait,
    },
    Check {
        name: "communication/dr7",
        source: "APM 24593 §15.35.5, §15.35.9",
        hardware: "without debug virtualisation, reading DR7 is #VC with code 27, writing with 37; \
                   with it, neither is",
        run: dr7,
    },
    Check {
        name: "communication/out-string",
        source: "APM 24593 §15.35.5",
        hardware: "REP OUTS is #VC with code 7B before the first element",
        run: out_string,
    },
    reflected_from_user_mode!("cpuid", "CPUID", ExitCode::CPUID, CPUID),
    reflected_from_user_mode!("in", "IN", ExitCode::PORT_IO, Probe::InByte(DELAY_PORT)),
    reflected_from_user_mode!("out", "OUT", ExitCode::PORT_IO, Probe::OutByte(DELAY_PORT, 0)),
    reflected_from_user_mode!("vmmcall", "VMMCALL", ExitCode::VMMCALL, Probe::Vmmcall { rax: 0 }),
    Check {
        name: "communication/user-privileged",
        source: "APM 24594; APM 24593 §15.7",
        hardware: "privileged instructions in user mode are #GP(0), which comes before any \
                   intercept",
        run: privileged,
    },
    Check {
        name: "communication/not-time-stamp",
        source: "APM 24593 §15.34.9; Linux does without an intercept",
        hardware: "RDTSC and RDTSCP run, in supervisor and user mode, and time goes on",
        run: time_stamp,
    },
    Check {
        name: "communication/not-own-registers",
        source: "APM 24593 §15.34.10, §15.35.7",
        hardware: "registers that the save area holds are read without an exception",
        run: own_registers,
    },
    Check {
        name: "communication/own-register-written",
        source: "APM 24593 §15.35; APM 24594 RDTSCP",
        hardware: "TSC_AUX keeps what is written, and RDTSCP gives it in ECX",
        run: own_register_written,
    },
    Check {
        name: "communication/not-undefined",
        source: "APM 24594 UD0",
        hardware: "an instruction that does not exist is #UD, not #VC",
        run: undefined,
    },
];

fn supervisor(bench: &mut Bench, probe: Probe, code: ExitCode) -> Verdict {
    let stacks = bench.guest.stacks();
    for stack in [HandlerStack::Current, HandlerStack::Interrupt] {
        set_communication_stack(stack);
        let outcome = bench.probe(probe);
        set_communication_stack(HandlerStack::Current);
        let trap = expect_trap(probe, &outcome, ExceptionVector::VMM_COMMUNICATION, code.0)?;
        expect("privilege level of the code", 0, trap.cs & 3)?;
        let top = match stack {
            HandlerStack::Current => trap.rsp & !0xf,
            HandlerStack::Interrupt => stacks.interrupt,
        };
        expect("stack of the handler", top - FRAME, trap.handler_stack)?;
    }
    Ok(())
}

/// What the processor and the handler's entry push: 22 words.
const FRAME: u64 = 22 * 8;

fn user(bench: &mut Bench, probe: Probe, code: ExitCode) -> Verdict {
    let outcome = bench.guest.try_out(probe, Mode::User);
    let trap = expect_trap(probe, &outcome, ExceptionVector::VMM_COMMUNICATION, code.0)?;
    expect("privilege level of the code", 3, trap.cs & 3)?;
    expect("stack of the handler", bench.guest.stacks().from_user - FRAME, trap.handler_stack)
}

fn monitor_mwait(bench: &mut Bench) -> Verdict {
    let page = bench.private_page()?;
    supervisor(bench, Probe::Monitor(page), ExitCode::MONITOR)?;
    let outcome = bench.probe(Probe::Mwait);
    const MWAIT_ARMED: u64 = 0x8c;
    let code = outcome.trap.map(|trap| trap.error_code);
    let code = if code == Some(MWAIT_ARMED) { MWAIT_ARMED } else { ExitCode::MWAIT.0 };
    expect_trap(Probe::Mwait, &outcome, ExceptionVector::VMM_COMMUNICATION, code).map(drop)
}

fn dr7(bench: &mut Bench) -> Verdict {
    if bench.features().contains(abi_snp::SevFeatures::DEBUG_SWAP) {
        expect_done("write", &bench.probe(Probe::WriteDr7))?;
        let outcome = bench.probe(Probe::ReadDr7);
        expect_done("read", &outcome)?;
        return expect("DR7", abi_x86::reset::DR7, outcome.registers.rax);
    }
    supervisor(bench, Probe::ReadDr7, ExitCode::DR7_READ)?;
    supervisor(bench, Probe::WriteDr7, ExitCode::DR7_WRITE)
}

fn out_string(bench: &mut Bench) -> Verdict {
    let page = bench.private_page()?;
    supervisor(bench, Probe::OutString(DELAY_PORT, page, 4), ExitCode::PORT_IO)
}

fn privileged(bench: &mut Bench) -> Verdict {
    let page = bench.private_page()?;
    let permissions = crate::machine::Permissions::all(abi_snp::Vmpl::Vmpl1);
    let size = abi_snp::PageSize::Size4K;
    for probe in [
        Probe::ReadMsr(Msr::SEV_STATUS),
        Probe::WriteMsr(Msr::TSC_AUX, 0),
        Probe::Wbinvd,
        Probe::Invd,
        Probe::ReadDr7,
        Probe::WriteDr7,
        Probe::Rdpmc(0),
        Probe::HaltForGood,
        Probe::Pvalidate { page, size, validation: crate::machine::Validation::Validate },
        Probe::Rmpadjust { page, size, permissions },
    ] {
        let outcome = bench.guest.try_out(probe, Mode::User);
        // With IOPL 3, STI and CLI are allowed in user mode; HLT is not.
        let probe_at =
            |trap: &crate::machine::Trap| matches!(probe, Probe::HaltForGood) || probe.is_at(trap);
        let trap = outcome.trap;
        let is_protection = trap.is_some_and(|trap| {
            trap.exception() == ExceptionVector::GENERAL_PROTECTION
                && trap.error_code == 0
                && probe_at(&trap)
        });
        require(is_protection, "#GP(0) at the instruction", (probe, trap))?;
    }
    Ok(())
}

fn time_stamp(bench: &mut Bench) -> Verdict {
    let mut last = 0;
    for mode in [Mode::Supervisor, Mode::User] {
        for probe in [Probe::Rdtsc, Probe::Rdtscp] {
            let outcome = bench.guest.try_out(probe, mode);
            expect_done("exception", &outcome)?;
            let now = outcome.edx_eax();
            require(now > last, "a later time than before", (last, now))?;
            last = now;
        }
    }
    Ok(())
}

fn own_registers(bench: &mut Bench) -> Verdict {
    for msr in [
        Msr::GHCB,
        Msr::SEV_STATUS,
        Msr::EFER,
        Msr::PAT,
        Msr::STAR,
        Msr::LSTAR,
        Msr::CSTAR,
        Msr::SFMASK,
        Msr::FS_BASE,
        Msr::GS_BASE,
        Msr::KERNEL_GS_BASE,
        Msr::SYSENTER_CS,
        Msr::SYSENTER_ESP,
        Msr::SYSENTER_EIP,
        Msr::TSC_AUX,
    ] {
        let outcome = bench.probe(Probe::ReadMsr(msr));
        require(outcome.trap.is_none(), "no exception", (msr, outcome.trap))?;
    }
    let efer = bench.probe(Probe::ReadMsr(Msr::EFER)).edx_eax();
    let mode = abi_x86::Efer::LMA | abi_x86::Efer::LME | abi_x86::Efer::NXE;
    expect("EFER's mode bits", mode.bits(), efer & mode.bits())
}

fn own_register_written(bench: &mut Bench) -> Verdict {
    for value in [0x1234_5678, 0] {
        expect_done("WRMSR", &bench.probe(Probe::WriteMsr(Msr::TSC_AUX, value)))?;
        expect("TSC_AUX", value, bench.probe(Probe::ReadMsr(Msr::TSC_AUX)).edx_eax())?;
        expect("ECX of RDTSCP", value, bench.probe(Probe::Rdtscp).registers.rcx)?;
    }
    Ok(())
}

fn undefined(bench: &mut Bench) -> Verdict {
    let outcome = bench.probe(Probe::Undefined);
    expect_trap(Probe::Undefined, &outcome, ExceptionVector::INVALID_OPCODE, 0).map(drop)
}
