//! #VC: an instruction was intercepted, or memory is not there.
//!
//! The error code is that of the exit [APM 24593 §15.35.5]. The processor pushes
//! it; but a host can also inject the exception, at any instruction, unless
//! injection is restricted. Without an error code the frame is out of place,
//! which the trap handler notices; with one, the instruction at RIP decides:
//! `intercepted_instruction` compares the two.
//!
//! The kernel itself executes few instructions that can be intercepted. CPUID is
//! answered from the CPUID page. The others are asked of the host, as far as
//! they are about devices: ports, and the registers of the interrupt controller.
//! Of a host that intercepts anything else nothing is asked: it would learn the
//! kernel's addresses, or choose them.
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

use abi_snp::ghcb::{ExitCode, PortIo, PortIoDirection, PortIoWidth, SaveArea, ValidFields};
use abi_x86::Msr;
use intercepted_instruction::{Intercepted, MAX_LENGTH, Refusal};
use processor::TrapFrame;

use super::cpuid;
use super::ghcb::Ghcb;
use super::registers;
use crate::kernel_text;
use crate::msr;
use crate::stop_reason::StopReason;
use crate::sync::mask;

/// Handles a #VC: does what the instruction wanted, and moves RIP behind it.
///
/// # Errors
///
/// Why the kernel cannot go on.
pub(crate) fn handle(frame: &mut TrapFrame) -> Result<(), StopReason> {
    let bytes = kernel_text::at(frame.rip, MAX_LENGTH);
    match Intercepted::decode(bytes, frame).map_err(|refusal| reason(refusal, frame))? {
        Intercepted::Cpuid(call) => {
            let answer = cpuid::query(call.leaf(), call.subleaf());
            call.answer(frame, [answer.eax, answer.ebx, answer.ecx, answer.edx]);
        }
        Intercepted::ReadPort(access) => {
            let value = read_port(access.port(), access.width())?;
            access.answer(frame, value);
        }
        Intercepted::WritePort(access) => {
            write_port(access.port(), access.width(), access.value())?;
            access.answer(frame);
        }
        Intercepted::ReadMsr(access) => {
            check(access.msr())?;
            let value = registers::read(access.msr())?;
            access.answer(frame, value);
        }
        Intercepted::WriteMsr(access) => {
            check(access.msr())?;
            registers::write(access.msr(), access.value())?;
            access.answer(frame);
        }
        Intercepted::ReadTimeStamp(access) => {
            let counter = registers::time_stamp()?;
            // SAFETY: INV-MSR-1: a register of 64-bit processors with RDTSCP,
            // which this is: it was RDTSCP that was intercepted.
            let aux = if access.wants_aux() { unsafe { msr::read(Msr::TSC_AUX) } } else { 0 };
            access.answer(frame, counter, aux as u32);
        }
        // The kernel moves no strings between ports and memory.
        Intercepted::String(_) => return Err(StopReason::HostIntercept),
    }
    Ok(())
}

/// Why a #VC is not handled.
fn reason(refusal: Refusal, frame: &TrapFrame) -> StopReason {
    match (refusal, ExitCode(frame.error_code)) {
        (Refusal::Unexpected { .. }, ExitCode::PAGE_NOT_VALIDATED) => StopReason::HostTookPage,
        (Refusal::Unexpected { .. }, ExitCode::NESTED_PAGE_FAULT) => {
            StopReason::HostNestedPageFault
        }
        (Refusal::Unexpected { .. } | Refusal::UnusedForm, _) => StopReason::HostIntercept,
        _ => StopReason::HostInjection,
    }
}

/// Refuses to ask for registers that are none of the host's business.
fn check(msr: Msr) -> Result<(), StopReason> {
    if registers::is_the_hosts(msr) { Ok(()) } else { Err(StopReason::HostIntercept) }
}

fn read_port(port: u16, width: PortIoWidth) -> Result<u32, StopReason> {
    let io = PortIo::single(PortIoDirection::In, port, width);
    let request = SaveArea::request(ExitCode::PORT_IO.0, io.encode(), 0);
    let masked = mask();
    let ghcb = Ghcb::of_this_processor(&masked).ok_or(StopReason::HostIntercept)?;
    let outputs = ghcb.ask(&request, ValidFields::RAX).map_err(|_| StopReason::HostGhcbAnswer)?;
    Ok(outputs.rax as u32)
}

fn write_port(port: u16, width: PortIoWidth, value: u32) -> Result<(), StopReason> {
    let io = PortIo::single(PortIoDirection::Out, port, width);
    let request = SaveArea {
        rax: Some(value.into()),
        ..SaveArea::request(ExitCode::PORT_IO.0, io.encode(), 0)
    };
    let masked = mask();
    let ghcb = Ghcb::of_this_processor(&masked).ok_or(StopReason::HostIntercept)?;
    ghcb.ask(&request, ValidFields::empty()).map_err(|_| StopReason::HostGhcbAnswer)?;
    Ok(())
}
