//! #VC with an error code.
//!
//! QEMU pushes no error code when vector 29 is injected. But it does for #AC,
//! vector 17, and where a gate is depends on the base of the interrupt table:
//! with the base moved up by 12 gates, #AC enters through the gate of #VC, and
//! the processor does stack switches and checks itself. The base must be put
//! back before the handler's first instruction, so a physical interrupt is made
//! pending that ends the run right there.

use abi_svm::{Event, ExitCode};
use abi_x86::{ExceptionVector, GateDescriptor, InterruptStack, Rflags};

use super::layout::{
    GATES, INTERRUPT_STACK_TOP, PROGRAM, STACK_TOP, SUPERVISOR_STACK_TOP, handler,
};
use super::tally::Tally;
use super::test_guest::TestGuest;
use crate::instruction::take_interrupts;
use crate::local_apic::interrupt_self;
use crate::vcpu::Exit;

const VC: ExceptionVector = ExceptionVector::VMM_COMMUNICATION;
const AC: ExceptionVector = ExceptionVector::ALIGNMENT_CHECK;

/// The error code: #VC for CPUID.
const CODE: u32 = ExitCode::CPUID.0 as u32;

/// Bytes of the frame with the error code.
const FRAME: u64 = 6 * 8;

/// Runs the checks.
pub(super) fn run(guest: &mut TestGuest, tally: &mut Tally) {
    guest.load(&[0xf4]);
    check(guest, tally, "kernel", STACK_TOP);

    guest.load(&[0xf4]);
    guest.enter_user_mode();
    check(guest, tally, "user mode", SUPERVISOR_STACK_TOP);

    guest.set_gate_stack(VC, InterruptStack::One);
    guest.load(&[0xf4]);
    check(guest, tally, "kernel, gate with a stack", INTERRUPT_STACK_TOP);
    guest.load(&[0xf4]);
    guest.enter_user_mode();
    guest.vcpu.save().rflags |= Rflags::IF;
    check(guest, tally, "user mode, gate with a stack", INTERRUPT_STACK_TOP);
    guest.set_gate_stack(VC, InterruptStack::Current);
}

/// Delivers #VC, and compares what the guest's handler finds.
fn check(guest: &mut TestGuest, tally: &mut Tally, name: &str, top: u64) {
    let (rsp, cs) = (guest.vcpu.save().rsp, guest.vcpu.save().cs.selector);
    let exit = deliver(guest);
    let seen = (exit.code, exit.rip, guest.vcpu.save().rsp);
    let expected = (ExitCode::INTR, handler(VC.0), top - FRAME);
    tally.check(format_args!("#VC stops before its handler ({name})"), expected, seen);
    let frame = [0, 8, 16, 32].map(|offset| guest.read(top - FRAME + offset));
    let expected = [CODE.into(), PROGRAM, cs.0.into(), rsp];
    tally.check(format_args!("#VC frame with error code ({name})"), expected, frame);
    let exit = guest.vcpu.run();
    let expected = (ExitCode::HLT, handler(VC.0));
    tally.check(format_args!("#VC handler goes on ({name})"), expected, (exit.code, exit.rip));
}

/// Delivers #VC with [`CODE`] and gives the exit before its handler.
fn deliver(guest: &mut TestGuest) -> Exit {
    let shift = u32::from(VC.0 - AC.0) * size_of::<GateDescriptor>() as u32;
    let table = guest.vcpu.save().idtr;
    assert_eq!(table.base, GATES, "the test guest has one interrupt table");
    guest.vcpu.save().idtr.base = table.base + u64::from(shift);
    guest.vcpu.save().idtr.limit = table.limit - shift;
    guest.vcpu.inject(Event::exception_with_code(AC, CODE));
    interrupt_self();
    let exit = guest.vcpu.run();
    take_interrupts();
    guest.vcpu.save().idtr = table;
    exit
}
