//! #VC: the processor tells that something was intercepted.
//!
//! The error code is that of the exit [APM 24593 §15.35.5]. A host can also
//! inject the exception without one; then the processor pushes one word less,
//! which the trap handler notices before it gets here.
//!
//! # Whose stack
//!
//! The exception is handled on the stack that is current, so that any number of
//! them can be nested: with a stack of its own (IST) each would overwrite the
//! frame of the one before. The price is that the stack pointer must be good
//! whenever one can come. It is, as long as nothing but the kernel runs: its
//! stacks are private memory with unmapped pages below. If the host takes a
//! stack's page away, the exception cannot be delivered and becomes a double
//! fault, which has a stack of its own and ends the machine. Entry by SYSCALL
//! will begin with the stack pointer of user mode; so it needs another answer.
//!
//! NMI, #DF and #MC have stacks of their own and never return, so that an IRET of
//! a nested #VC, which would let the next NMI in, does no harm.

use abi_snp::ghcb::ExitCode;
use processor::{CODE_SELECTOR, TrapFrame};

use crate::stop_reason::StopReason;

/// Handles a #VC.
///
/// # Errors
///
/// Why the kernel cannot go on.
pub(crate) fn handle(frame: &mut TrapFrame) -> Result<(), StopReason> {
    if frame.cs != u64::from(CODE_SELECTOR.0) {
        return Err(StopReason::HostInjection);
    }
    match ExitCode(frame.error_code) {
        ExitCode::PAGE_NOT_VALIDATED => Err(StopReason::HostTookPage),
        ExitCode::NESTED_PAGE_FAULT => Err(StopReason::HostNestedPageFault),
        _ => Err(StopReason::HostIntercept),
    }
}
