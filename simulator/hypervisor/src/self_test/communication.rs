//! #VC with an error code.
//!
//! How it is delivered in spite of QEMU, [`crate::communication`] says.

use abi_svm::ExitCode;
use abi_x86::{ExceptionVector, InterruptStack, Rflags};

use super::layout::{INTERRUPT_STACK_TOP, PROGRAM, STACK_TOP, SUPERVISOR_STACK_TOP, handler};
use super::tally::Tally;
use super::test_guest::{INTERCEPTS, TestGuest};
use crate::communication::{Delivery, deliver};

const VC: ExceptionVector = ExceptionVector::VMM_COMMUNICATION;

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
    let delivery = deliver(&mut guest.vcpu, CODE, INTERCEPTS);
    let is_done = matches!(delivery, Delivery::Done);
    let seen = (is_done, guest.vcpu.save().rip, guest.vcpu.save().rsp);
    let expected = (true, handler(VC.0), top - FRAME);
    tally.check(format_args!("#VC stops before its handler ({name})"), expected, seen);
    let frame = [0, 8, 16, 32].map(|offset| guest.read(top - FRAME + offset));
    let expected = [CODE.into(), PROGRAM, cs.0.into(), rsp];
    tally.check(format_args!("#VC frame with error code ({name})"), expected, frame);
    let exit = guest.vcpu.run();
    let expected = (ExitCode::HLT, handler(VC.0));
    tally.check(format_args!("#VC handler goes on ({name})"), expected, (exit.code, exit.rip));
}
