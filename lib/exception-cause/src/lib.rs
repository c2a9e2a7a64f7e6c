//! Exceptions: whether the instruction at which one came can have raised it.
//!
//! A hypervisor that may inject exceptions does not see what its guest executes.
//! So what it injects mostly comes at an instruction that cannot raise it, which
//! tells it from the guest's own [APM 24593 §8.2]:
//!
//! | exception | can be raised by |
//! |---|---|
//! | \#DE | DIV, IDIV |
//! | \#BP | INT3, which RIP is behind then |
//! | \#SS | a stack at an address that is none |
//! | \#GP | other memory at an address that is none; what is none of the instructions in `plain.rs` |
//!
//! This errs on one side only: what can be the guest's own is taken for it. It
//! is about code of 64 bits at privilege level 0 with flat segments.
#![no_std]
#![forbid(unsafe_code)]

mod address;
mod plain;

use abi_x86::{ExceptionVector, Msr};
use processor::TrapFrame;
use yaxpeax_x86::long_mode::{InstDecoder, Instruction, Opcode};

use crate::address::{Segment, bad_segment, is_canonical};
use crate::plain::Plain;

/// INT3.
const INT3: u8 = 0xcc;

/// The code around RIP, as far as it is the kernel's.
#[derive(Clone, Copy, Debug, Default)]
pub struct Code<'a> {
    /// The byte before RIP.
    pub before: Option<u8>,
    /// The bytes from RIP on: as many as the longest instruction has, or fewer
    /// where the code ends; none where there is no code.
    pub at: &'a [u8],
}

/// Whether `vector` can come from the instruction that `frame` was interrupted
/// at, or behind. For #DE, #BP, #SS and #GP; of others it says that they can.
#[must_use]
pub fn can_have_raised(vector: ExceptionVector, code: Code<'_>, frame: &TrapFrame) -> bool {
    if vector == ExceptionVector::BREAKPOINT {
        return code.before == Some(INT3);
    }
    let judged = [
        ExceptionVector::DIVIDE_ERROR,
        ExceptionVector::STACK,
        ExceptionVector::GENERAL_PROTECTION,
    ];
    if !judged.contains(&vector) {
        return true;
    }
    if code.at.is_empty() {
        // A jump to where no code can be is #GP there; one to other memory is
        // #PF.
        return vector == ExceptionVector::GENERAL_PROTECTION && !is_canonical(frame.rip);
    }
    let Ok(instruction) = InstDecoder::default().decode_slice(code.at) else {
        // No instruction that we know, or its end is missing.
        return true;
    };
    match vector {
        ExceptionVector::DIVIDE_ERROR => {
            matches!(instruction.opcode(), Opcode::DIV | Opcode::IDIV)
        }
        ExceptionVector::STACK => can_raise_stack(&instruction, frame),
        _ => can_raise_protection(&instruction, frame),
    }
}

fn can_raise_stack(instruction: &Instruction, frame: &TrapFrame) -> bool {
    let Some(plain) = Plain::of(instruction) else {
        return !is_own_register(instruction, frame);
    };
    match plain {
        Plain::Ordinary => bad_segment(instruction, frame) == Some(Segment::Stack),
        // ENTER and LEAVE go by RBP.
        Plain::Stack | Plain::Transfer => {
            !is_canonical(frame.rsp)
                || !is_canonical(frame.rbp)
                || bad_segment(instruction, frame) == Some(Segment::Stack)
        }
        Plain::String => false,
    }
}

fn can_raise_protection(instruction: &Instruction, frame: &TrapFrame) -> bool {
    let Some(plain) = Plain::of(instruction) else {
        return !is_own_register(instruction, frame);
    };
    match plain {
        Plain::Ordinary | Plain::Stack => bad_segment(instruction, frame) == Some(Segment::Data),
        Plain::String => !is_canonical(frame.rsi) || !is_canonical(frame.rdi),
        // Where it leads may be no address.
        Plain::Transfer => true,
    }
}

/// RDMSR or WRMSR of the GHCB's register, which takes any value: code around an
/// exit uses it, which is where a hypervisor injects most easily.
fn is_own_register(instruction: &Instruction, frame: &TrapFrame) -> bool {
    matches!(instruction.opcode(), Opcode::RDMSR | Opcode::WRMSR) && frame.rcx as u32 == Msr::GHCB.0
}

#[cfg(test)]
mod tests;
