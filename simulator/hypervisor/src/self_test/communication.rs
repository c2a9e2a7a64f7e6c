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

    guest.load(&[0xf4]);
    guest.enter_protected_mode();
    protected_mode(guest, tally, "32 bits", STACK_TOP);
    guest.load(&[0xf4]);
    guest.enter_protected_mode();
    guest.enter_user_mode();
    protected_mode(guest, tally, "user mode of 32 bits", SUPERVISOR_STACK_TOP);

    real_mode(guest, tally);
}

/// The same without long mode, whose frame is half as wide: error code, EIP, CS,
/// EFLAGS, and from user mode ESP and SS [APM 24593 §8.7.3].
fn protected_mode(guest: &mut TestGuest, tally: &mut Tally, name: &str, top: u64) {
    let save = guest.vcpu.save();
    let (rsp, cs, ss, flags) = (save.rsp, save.cs.selector, save.ss.selector, save.rflags);
    let is_from_user = save.cpl == 3;
    let frame = if is_from_user { 24 } else { 16 };
    let delivery = deliver(&mut guest.vcpu, CODE, INTERCEPTS);
    let is_done = matches!(delivery, Delivery::Done);
    let seen = (is_done, guest.vcpu.save().rip, guest.vcpu.save().rsp);
    let expected = (true, handler(VC.0), top - frame);
    tally.check(format_args!("#VC stops before its handler ({name})"), expected, seen);
    let pushed = [0, 8].map(|offset| guest.read(top - frame + offset));
    let expected =
        [PROGRAM << 32 | u64::from(CODE), (flags | Rflags::RF).bits() << 32 | u64::from(cs.0)];
    tally.check(format_args!("#VC frame with error code ({name})"), expected, pushed);
    if is_from_user {
        let expected = u64::from(ss.0) << 32 | rsp;
        tally.check(
            format_args!("#VC frame has the stack ({name})"),
            expected,
            guest.read(top - 8),
        );
    }
    let exit = guest.vcpu.run();
    let expected = (ExitCode::HLT, handler(VC.0), 0);
    let seen = (exit.code, exit.rip, guest.vcpu.save().cpl);
    tally.check(format_args!("#VC handler goes on ({name})"), expected, seen);
}

/// And in real mode, where there are no error codes: FLAGS, CS, IP.
fn real_mode(guest: &mut TestGuest, tally: &mut Tally) {
    guest.load(&[0xf4]);
    guest.enter_real_mode();
    let [low, high, ..] = handler(VC.0).to_le_bytes();
    guest.write(u64::from(VC.0) * 4, &[low, high, 0, 0]);
    let delivery = deliver(&mut guest.vcpu, CODE, INTERCEPTS);
    let exit = guest.vcpu.run();
    let seen = (matches!(delivery, Delivery::Done), exit.code, exit.rip, guest.vcpu.save().rsp);
    let expected = (true, ExitCode::HLT, handler(VC.0), STACK_TOP - 6);
    tally.check("#VC without error code (real mode)", expected, seen);
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
