//! What an intercept leads to: automatic exit, #VC, or nothing.
//!
//! A guest whose registers are encrypted leaves to the hypervisor at a few
//! intercepts only, the automatic exits. At all others it gets a #VC exception
//! with the exit code as error code, and asks the hypervisor itself, if it wants
//! to [APM 24593 §15.35.4, §15.35.5]. An emulator without SEV-SNP exits at all of
//! them; [`disposition`] says which it is.

use abi_snp::SevFeatures;
use abi_svm::{ExitCode, NestedFault};
use abi_x86::{ExceptionVector, Msr};

use crate::execution::Cpl;
use crate::processor::own_msr::is_own;

/// An exit of the emulated processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intercept {
    /// Why it stopped.
    pub code: ExitCode,
    /// First word of details.
    pub info_1: u64,
    /// ECX of the guest: the register of RDMSR and WRMSR.
    pub msr: Msr,
    /// The guest's privilege level.
    pub cpl: Cpl,
}

/// What happens at an intercept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// Automatic exit: the hypervisor sees it, and the VMSA tells the code.
    AutomaticExit(Resume),
    /// #VC in the guest; its error code is the exit code. The instruction
    /// pointer stays.
    Communication,
    /// As [`Self::Communication`], but the guest's VMSA asks for #VC exceptions
    /// to be exits: an automatic exit with code 0x5d. The VMSA tells the exit
    /// code that would have been the error code. From memory.
    ReflectedCommunication,
    /// #GP(0) in the guest: the instruction is for CPL 0, which a processor
    /// looks at before intercepts [APM 24593 §15.7]. Emulators have intercepted
    /// some that are not.
    Privileged,
    /// RDMSR or WRMSR of a register of the [guest's own](super::OWN_MSRS): the
    /// processor reads or writes it.
    OwnMsr,
    /// An instruction that an SEV-SNP processor executes, and the emulated one
    /// does not: what it is, [`Instruction`](super::Instruction) tells. If it
    /// is none of these, the guest gets the exception that was intercepted.
    Execute,
    /// VMRUN did not run the guest.
    Refused,
}

/// Where the guest goes on after an automatic exit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resume {
    /// At the instruction that exited.
    SameInstruction,
    /// After it: the processor has moved the instruction pointer. An emulated
    /// one has not.
    NextInstruction,
}

/// What `intercept` leads to in a guest that runs with `features`.
///
/// Three codes are not as in the manual: an emulator knows no VMGEXIT, PVALIDATE
/// and others, and refuses compacted images of extended state. So its hypervisor
/// intercepts #UD and #GP, which no platform's does, and these codes are for the
/// instructions behind them. It intercepts XSETBV as well, to switch XCR0; for a
/// platform's this is of no use, since the register is in the VMSA.
#[must_use]
pub fn disposition(intercept: &Intercept, features: SevFeatures) -> Disposition {
    use Disposition::{AutomaticExit, Execute, OwnMsr, Refused};
    use Resume::{NextInstruction, SameInstruction};
    match intercept.code {
        code if is_privileged(code) && intercept.cpl != Cpl::Cpl0 => Disposition::Privileged,
        MACHINE_CHECK
        | ExitCode::INTR
        | ExitCode::NMI
        | ExitCode::SMI
        | ExitCode::INIT
        | ExitCode::VINTR
        | ExitCode::SHUTDOWN
        | BUS_LOCK => AutomaticExit(SameInstruction),
        ExitCode::PAUSE
        | ExitCode::HLT
        | IDLE_HLT
        | ExitCode::EFER_WRITE_TRAP
        | ExitCode(CR_WRITE_TRAPS_FIRST..=CR_WRITE_TRAPS_LAST)
        | ExitCode::VMGEXIT => AutomaticExit(NextInstruction),
        // A reserved bit in the nested page table is how a hypervisor marks
        // device memory.
        ExitCode::NESTED_PAGE_FAULT if !is_reserved_bit(intercept.info_1) => {
            AutomaticExit(SameInstruction)
        }
        ExitCode::MSR if is_own(intercept.msr, features) => OwnMsr,
        INVALID_OPCODE | GENERAL_PROTECTION | ExitCode::XSETBV => Execute,
        ExitCode::INVALID | ExitCode::INVALID_32 => Refused,
        _ => communication(features),
    }
}

/// What a #VC exception leads to in a guest that runs with `features`, wherever
/// it comes from: an intercept, or a page that is not validated.
#[must_use]
pub fn communication(features: SevFeatures) -> Disposition {
    if features.contains(SevFeatures::REFLECT_VC) {
        Disposition::ReflectedCommunication
    } else {
        Disposition::Communication
    }
}

/// Whether the exit is that of an instruction for CPL 0 alone.
const fn is_privileged(code: ExitCode) -> bool {
    const CONTROL_AND_DEBUG_REGISTERS: u64 = 0x3f;
    matches!(
        code,
        ExitCode(0..=CONTROL_AND_DEBUG_REGISTERS)
            | ExitCode::HLT
            | ExitCode::MSR
            | ExitCode::INVD
            | ExitCode::WBINVD
            | ExitCode::INVLPG
    )
}

const fn is_reserved_bit(info_1: u64) -> bool {
    NestedFault::from_bits_retain(info_1).contains(NestedFault::RESERVED_BIT)
}

/// A guest held a bus lock too often.
const BUS_LOCK: ExitCode = ExitCode(0xa5);
/// HLT without an event that would end it at once.
const IDLE_HLT: ExitCode = ExitCode(0xa6);
/// CR0 was written; those for CR1 to CR15 follow.
const CR_WRITE_TRAPS_FIRST: u64 = 0x90;
const CR_WRITE_TRAPS_LAST: u64 = 0x9f;

const MACHINE_CHECK: ExitCode = exception(ExceptionVector::MACHINE_CHECK);
const INVALID_OPCODE: ExitCode = exception(ExceptionVector::INVALID_OPCODE);
const GENERAL_PROTECTION: ExitCode = exception(ExceptionVector::GENERAL_PROTECTION);

const fn exception(vector: ExceptionVector) -> ExitCode {
    ExitCode::of_exception(vector).expect("exceptions have vectors below 32")
}

#[cfg(test)]
mod tests;
