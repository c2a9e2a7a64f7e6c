//! Exceptions and interrupts that VMRUN delivers.

use abi_svm::{Event, ExitCode};
use abi_x86::{ExceptionVector, InterruptStack, Rflags};

use super::layout::{INTERRUPT_STACK_TOP, PROGRAM, STACK_TOP, SUPERVISOR_STACK_TOP, handler};
use super::tally::Tally;
use super::test_guest::TestGuest;
use crate::vcpu::Exit;

/// Bytes that delivery pushes without and with an error code
/// [APM 24593 §8.9.3].
const FRAME: u64 = 5 * 8;
const FRAME_WITH_CODE: u64 = 6 * 8;

const CODE: u32 = 0x1234;

/// Runs the checks.
pub(super) fn run(guest: &mut TestGuest, tally: &mut Tally) {
    without_code(guest, tally);
    with_code(guest, tally);
    other_kinds(guest, tally);
    from_user_mode(guest, tally);
    on_own_stack(guest, tally);
}

/// Where the guest halted, with which stack pointer.
fn observed(guest: &mut TestGuest, exit: &Exit) -> (ExitCode, u64, u64) {
    (exit.code, exit.rip, guest.vcpu.save().rsp)
}

fn at_handler(vector: ExceptionVector, rsp: u64) -> (ExitCode, u64, u64) {
    (ExitCode::HLT, handler(vector.0), rsp)
}

/// #VC, #CP and #SX push no error code here, though real processors do: hence
/// `communication.rs`.
fn without_code(guest: &mut TestGuest, tally: &mut Tally) {
    for vector in [
        ExceptionVector::DIVIDE_ERROR,
        ExceptionVector::INVALID_OPCODE,
        ExceptionVector(20),
        ExceptionVector::CONTROL_PROTECTION,
        ExceptionVector::HYPERVISOR_INJECTION,
        ExceptionVector::VMM_COMMUNICATION,
        ExceptionVector::SECURITY,
    ] {
        let exit = guest.run_with(Event::exception_with_code(vector, CODE));
        let seen = observed(guest, &exit);
        let expected = at_handler(vector, STACK_TOP - FRAME);
        tally.check(format_args!("vector {} pushes no error code", vector.0), expected, seen);
    }
}

fn with_code(guest: &mut TestGuest, tally: &mut Tally) {
    for (vector, code) in [
        // The processor always pushes 0 for a double fault.
        (ExceptionVector::DOUBLE_FAULT, 0),
        (ExceptionVector::GENERAL_PROTECTION, CODE),
        (ExceptionVector::PAGE_FAULT, CODE),
        (ExceptionVector::ALIGNMENT_CHECK, CODE),
    ] {
        let exit = guest.run_with(Event::exception_with_code(vector, code));
        let seen = (observed(guest, &exit), guest.read(STACK_TOP - FRAME_WITH_CODE));
        let expected = (at_handler(vector, STACK_TOP - FRAME_WITH_CODE), code.into());
        tally.check(format_args!("vector {} pushes its error code", vector.0), expected, seen);
    }
}

fn other_kinds(guest: &mut TestGuest, tally: &mut Tally) {
    let exit = guest.run_with(Event::nmi());
    let seen = observed(guest, &exit);
    let vector = ExceptionVector::NON_MASKABLE_INTERRUPT;
    tally.check("NMI is injected", at_handler(vector, STACK_TOP - FRAME), seen);
    let exit = guest.run_with(Event::interrupt(0x41));
    let seen = observed(guest, &exit);
    let vector = ExceptionVector(0x41);
    tally.check("interrupt is injected", at_handler(vector, STACK_TOP - FRAME), seen);
    tally.check("interrupted address", PROGRAM, guest.read(STACK_TOP - FRAME));
    tally.check("delivered event is not reported", None, exit.interrupted);
}

fn from_user_mode(guest: &mut TestGuest, tally: &mut Tally) {
    guest.load(&[0xf4]);
    guest.enter_user_mode();
    guest.vcpu.save().rflags |= Rflags::IF;
    guest.vcpu.inject(Event::exception_with_code(ExceptionVector::PAGE_FAULT, CODE));
    let exit = guest.vcpu.run();
    let seen = (observed(guest, &exit), guest.vcpu.save().cpl);
    let vector = ExceptionVector::PAGE_FAULT;
    let expected = (at_handler(vector, SUPERVISOR_STACK_TOP - FRAME_WITH_CODE), 0);
    tally.check("injection leaves user mode", expected, seen);
}

fn on_own_stack(guest: &mut TestGuest, tally: &mut Tally) {
    let vector = ExceptionVector::HYPERVISOR_INJECTION;
    guest.set_gate_stack(vector, InterruptStack::One);
    let exit = guest.run_with(Event::exception(vector));
    let seen = observed(guest, &exit);
    let expected = at_handler(vector, INTERRUPT_STACK_TOP - FRAME);
    tally.check("injection switches to the gate's stack", expected, seen);
    guest.set_gate_stack(vector, InterruptStack::Current);
}
