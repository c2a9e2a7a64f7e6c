//! Physical and virtual interrupts.

use abi_svm::{EventIntercepts, ExitCode};
use abi_x86::Rflags;

use super::layout::{PROGRAM, STACK_TOP, handler};
use super::tally::Tally;
use super::test_guest::{INTERCEPTS, TestGuest};
use crate::instruction::take_interrupts;
use crate::local_apic::interrupt_self;
use crate::vcpu::ExtraIntercepts;

/// A virtual interrupt's vector.
const VECTOR: u8 = 0x51;

/// `jmp` to itself.
const LOOP: [u8; 2] = [0xeb, 0xfe];
/// `sti; nop; hlt`
const ENABLE: [u8; 3] = [0xfb, 0x90, 0xf4];

/// Runs the checks.
pub(super) fn run(guest: &mut TestGuest, tally: &mut Tally) {
    physical(guest, tally);
    virtual_interrupt(guest, tally);
    window(guest, tally);
}

/// A physical interrupt ends the run, whatever the guest's interrupt flag is.
fn physical(guest: &mut TestGuest, tally: &mut Tally) {
    for (name, flags) in [("off", Rflags::FIXED), ("on", Rflags::FIXED | Rflags::IF)] {
        guest.load(&LOOP);
        guest.vcpu.save().rflags = flags;
        interrupt_self();
        let exit = guest.vcpu.run();
        let again = guest.vcpu.run();
        take_interrupts();
        let expected = (ExitCode::INTR, PROGRAM, ExitCode::INTR);
        let seen = (exit.code, exit.rip, again.code);
        tally.check(format_args!("interrupt ends a run, guest's flag {name}"), expected, seen);
    }
    // Taken, it is gone.
    let exit = guest.run(&[0xf4]);
    tally.check("interrupt ends no run once taken", ExitCode::HLT, exit.code);
}

/// A virtual interrupt waits for the guest's interrupt flag.
fn virtual_interrupt(guest: &mut TestGuest, tally: &mut Tally) {
    guest.load(&[0xf4]);
    guest.vcpu.raise_virtual_interrupt(VECTOR);
    let exit = guest.vcpu.run();
    let seen = (exit.code, exit.rip, guest.vcpu.has_virtual_interrupt());
    tally.check("virtual interrupt waits", (ExitCode::HLT, PROGRAM, true), seen);
    guest.load(&ENABLE);
    guest.vcpu.raise_virtual_interrupt(VECTOR);
    let exit = guest.vcpu.run();
    let seen = (exit.code, exit.rip, guest.vcpu.has_virtual_interrupt());
    tally.check("virtual interrupt is delivered", (ExitCode::HLT, handler(VECTOR), false), seen);
    let frame = guest.read(STACK_TOP - 5 * 8);
    tally.check("virtual interrupt heeds the shadow of STI", PROGRAM + 2, frame);
}

/// With its intercept, the moment when a virtual interrupt could be taken.
fn window(guest: &mut TestGuest, tally: &mut Tally) {
    guest.load(&ENABLE);
    guest.vcpu.intercept(ExtraIntercepts {
        events: INTERCEPTS.events | EventIntercepts::VINTR,
        ..INTERCEPTS
    });
    guest.vcpu.raise_virtual_interrupt(VECTOR);
    let exit = guest.vcpu.run();
    tally.check("interrupt window", (ExitCode::VINTR, PROGRAM + 2), (exit.code, exit.rip));
    guest.vcpu.clear_virtual_interrupt();
}
