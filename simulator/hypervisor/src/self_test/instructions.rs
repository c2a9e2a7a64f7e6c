//! Intercepted and unknown instructions.
//!
//! Each arrives with RIP at its first byte, prefixes included.

use abi_svm::{ExitCode, InstructionIntercepts};
use abi_x86::{ExceptionVector, Msr};

use super::layout::{DATA, PROGRAM};
use super::tally::Tally;
use super::test_guest::{INTERCEPTS, TestGuest};
use crate::vcpu::{Exit, ExtraIntercepts};

/// The port that port instructions use, RAX (an address that VMRUN takes), and
/// the register that RDMSR and WRMSR use.
const PORT: u64 = 0x3f8;
const RAX: u64 = 0x4000;
const REGISTER: Msr = Msr::SEV_STATUS;

/// Details of an exit that count.
#[derive(Clone, Copy)]
enum Details {
    /// None are defined.
    Undefined,
    /// The first word.
    First(u64),
    /// The first word; the second is the address of the next instruction.
    FirstAndNext(u64),
}

/// An instruction and how it exits.
struct Case {
    name: &'static str,
    bytes: &'static [u8],
    code: ExitCode,
    details: Details,
    rcx: u64,
}

const fn case(name: &'static str, bytes: &'static [u8], code: ExitCode, details: Details) -> Case {
    Case { name, bytes, code, details, rcx: REGISTER.0 as u64 }
}

impl Case {
    /// The same with RCX zero.
    const fn with_rcx_zero(self) -> Self {
        Self { rcx: 0, ..self }
    }
}

const UNKNOWN: ExitCode = ExitCode(0x40 + ExceptionVector::INVALID_OPCODE.0 as u64);

/// Instructions with [`INTERCEPTS`].
const CASES: [Case; 39] = {
    use Details::{First, FirstAndNext, Undefined};
    [
        case("cpuid", &[0x0f, 0xa2], ExitCode::CPUID, Undefined),
        case("hlt", &[0xf4], ExitCode::HLT, Undefined),
        case("rdmsr", &[0x0f, 0x32], ExitCode::MSR, First(0)),
        case("wrmsr", &[0x0f, 0x30], ExitCode::MSR, First(1)),
        case("out dx, al", &[0xee], ExitCode::IO, FirstAndNext(0x03f8_0010)),
        case("out dx, ax", &[0x66, 0xef], ExitCode::IO, FirstAndNext(0x03f8_0020)),
        case("out dx, eax", &[0xef], ExitCode::IO, FirstAndNext(0x03f8_0040)),
        case("out 0x80, al", &[0xe6, 0x80], ExitCode::IO, FirstAndNext(0x0080_0010)),
        case("in al, dx", &[0xec], ExitCode::IO, FirstAndNext(0x03f8_0011)),
        case("in eax, dx", &[0xed], ExitCode::IO, FirstAndNext(0x03f8_0041)),
        case("outsb", &[0x6e], ExitCode::IO, FirstAndNext(0x03f8_0014)),
        case("rep outsb", &[0xf3, 0x6e], ExitCode::IO, FirstAndNext(0x03f8_001c)),
        case("rep insb", &[0xf3, 0x6c], ExitCode::IO, FirstAndNext(0x03f8_001d)),
        case("rdtsc", &[0x0f, 0x31], ExitCode::RDTSC, Undefined),
        // Real processors have an intercept of its own for it.
        case("rdtscp", &[0x0f, 0x01, 0xf9], ExitCode::RDTSC, Undefined),
        case("rdpmc", &[0x0f, 0x33], ExitCode::RDPMC, Undefined),
        case("wbinvd", &[0x0f, 0x09], ExitCode::WBINVD, Undefined),
        case("pause", &[0xf3, 0x90], ExitCode::PAUSE, Undefined),
        case("invlpg", &[0x0f, 0x01, 0x3e], ExitCode::INVLPG, Undefined),
        case("monitor", &[0x0f, 0x01, 0xc8], ExitCode::MONITOR, Undefined).with_rcx_zero(),
        case("mwait", &[0x0f, 0x01, 0xc9], ExitCode::MWAIT, Undefined).with_rcx_zero(),
        case("vmrun", &[0x0f, 0x01, 0xd8], ExitCode::VMRUN, Undefined),
        case("mov cr0, rax", &[0x0f, 0x22, 0xc0], ExitCode(0x10), Undefined),
        case("mov cr3, rax", &[0x0f, 0x22, 0xd8], ExitCode(0x13), Undefined),
        case("mov cr4, rax", &[0x0f, 0x22, 0xe0], ExitCode(0x14), Undefined),
        case("mov dr7, rax", &[0x0f, 0x23, 0xf8], ExitCode(0x37), Undefined),
        case("mov rax, dr7", &[0x0f, 0x21, 0xf8], ExitCode(0x27), Undefined),
        case("ud2", &[0x0f, 0x0b], UNKNOWN, Undefined),
        case("vmmcall", &[0x0f, 0x01, 0xd9], UNKNOWN, Undefined),
        case("rep vmmcall (vmgexit)", &[0xf3, 0x0f, 0x01, 0xd9], UNKNOWN, Undefined),
        case("repne vmmcall (vmgexit)", &[0xf2, 0x0f, 0x01, 0xd9], UNKNOWN, Undefined),
        case("pvalidate", &[0xf2, 0x0f, 0x01, 0xff], UNKNOWN, Undefined),
        case("rmpadjust", &[0xf3, 0x0f, 0x01, 0xfe], UNKNOWN, Undefined),
        case("rmpquery", &[0xf3, 0x0f, 0x01, 0xfd], UNKNOWN, Undefined),
        case("invlpgb", &[0x0f, 0x01, 0xfe], UNKNOWN, Undefined),
        case("tlbsync", &[0x0f, 0x01, 0xff], UNKNOWN, Undefined),
        case("tdcall", &[0x66, 0x0f, 0x01, 0xcc], UNKNOWN, Undefined),
        case("vmcall", &[0x0f, 0x01, 0xc1], UNKNOWN, Undefined),
        case("prefixed ud2", &[0x66, 0xf3, 0x0f, 0x0b], UNKNOWN, Undefined),
    ]
};

/// Runs the checks.
pub(super) fn run(guest: &mut TestGuest, tally: &mut Tally) {
    for case in &CASES {
        let exit = run_one(guest, case.bytes, case.rcx, INTERCEPTS);
        tally.check(case.name, expected(case), observed(&exit, case.details));
    }
    let vmmcall = ExtraIntercepts {
        instructions: INTERCEPTS.instructions | InstructionIntercepts::VMMCALL,
        ..INTERCEPTS
    };
    for (name, bytes) in [
        ("vmmcall with its intercept", &[0x0f, 0x01, 0xd9][..]),
        ("rep vmmcall with its intercept", &[0xf3, 0x0f, 0x01, 0xd9]),
    ] {
        let exit = run_one(guest, bytes, 0, vmmcall);
        let expected = (ExitCode::VMMCALL, PROGRAM);
        tally.check(name, expected, (exit.code, exit.rip));
    }
    pass_through(guest, tally);
}

fn run_one(guest: &mut TestGuest, bytes: &[u8], rcx: u64, intercepts: ExtraIntercepts) -> Exit {
    guest.load(bytes);
    guest.vcpu.intercept(intercepts);
    guest.vcpu.save().rax = RAX;
    let registers = &mut guest.vcpu.registers;
    registers.rcx = rcx;
    registers.rdx = PORT;
    registers.rsi = DATA;
    registers.rdi = DATA;
    guest.vcpu.run()
}

/// Code, RIP, and the details that count.
type Observed = (ExitCode, u64, Option<u64>, Option<u64>);

fn expected(case: &Case) -> Observed {
    let next = PROGRAM + case.bytes.len() as u64;
    match case.details {
        Details::Undefined => (case.code, PROGRAM, None, None),
        Details::First(word) => (case.code, PROGRAM, Some(word), None),
        Details::FirstAndNext(word) => (case.code, PROGRAM, Some(word), Some(next)),
    }
}

fn observed(exit: &Exit, details: Details) -> Observed {
    match details {
        Details::Undefined => (exit.code, exit.rip, None, None),
        Details::First(_) => (exit.code, exit.rip, Some(exit.info_1), None),
        Details::FirstAndNext(_) => (exit.code, exit.rip, Some(exit.info_1), Some(exit.info_2)),
    }
}

/// Registers that VMLOAD and VMSAVE switch do not exit, and keep their values.
fn pass_through(guest: &mut TestGuest, tally: &mut Tally) {
    // wrmsr; hlt
    guest.load(&[0x0f, 0x30, 0xf4]);
    guest.vcpu.save().rax = 0x1234_5000;
    guest.vcpu.registers.rcx = Msr::GS_BASE.0.into();
    let exit = guest.vcpu.run();
    tally.check("register passed through", (ExitCode::HLT, PROGRAM + 2), (exit.code, exit.rip));
    tally.check("register saved by vmsave", 0x1234_5000, guest.vcpu.save().gs.base);
}
