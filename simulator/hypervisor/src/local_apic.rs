//! The local interrupt controller of this processor.
//!
//! In its memory-mapped mode, which every processor starts in
//! [APM 24593 §16.3]. It is used to have an interrupt pending at a chosen
//! moment.

use core::ptr;

use abi_x86::Msr;

use crate::identity_map::MAPPED_END;
use crate::instruction::{read_msr, write_msr};

/// The vector of the interrupt that [`interrupt_self`] raises.
pub(crate) const SELF_VECTOR: u8 = 0xf0;

/// The vector of the timer.
pub(crate) const TIMER_VECTOR: u8 = 0xf1;

/// The vector of interrupts that vanished while they were signalled.
const SPURIOUS_VECTOR: u8 = 0xff;

/// Bits of the base address register [APM 24593 §16.3.1].
const APIC_ENABLED: u64 = 1 << 11;
const X2APIC_MODE: u64 = 1 << 10;
const BASE_MASK: u64 = 0x000f_ffff_ffff_f000;

/// Registers, by offset from the base [APM 24593 §16.3.2].
#[derive(Clone, Copy)]
#[repr(u16)]
enum Register {
    TaskPriority = 0x80,
    EndOfInterrupt = 0xb0,
    SpuriousInterrupt = 0xf0,
    InterruptCommand = 0x300,
    TimerVector = 0x320,
    TimerInitialCount = 0x380,
    TimerCurrentCount = 0x390,
    TimerDivide = 0x3e0,
}

/// Spurious interrupt register: the controller is enabled.
const SOFTWARE_ENABLED: u32 = 1 << 8;
/// Interrupt command: to this processor, whoever it is.
const TO_SELF: u32 = 0b01 << 18;
/// Interrupt command: assert.
const ASSERT: u32 = 1 << 14;

/// Timer divide register: by one.
const DIVIDE_BY_ONE: u32 = 0b1011;

/// Enables the controller, with every priority accepted.
pub(crate) fn enable() {
    // SAFETY: every processor with long mode has this register. The mode bit
    // stays clear, and the base stays where it is.
    let base = unsafe {
        let base = read_msr(Msr::APIC_BASE) & !X2APIC_MODE | APIC_ENABLED;
        write_msr(Msr::APIC_BASE, base);
        base
    };
    assert!(base & BASE_MASK < MAPPED_END, "the local APIC lies at {base:#x}");
    write(Register::TaskPriority, 0);
    write(Register::SpuriousInterrupt, SOFTWARE_ENABLED | u32::from(SPURIOUS_VECTOR));
    write(Register::TimerDivide, DIVIDE_BY_ONE);
    write(Register::TimerVector, u32::from(TIMER_VECTOR));
}

/// Starts the timer, to interrupt once in so many nanoseconds (QEMU's timer
/// counts those); 0 stops it.
pub(crate) fn start_timer(nanoseconds: u32) {
    write(Register::TimerInitialCount, nanoseconds);
}

/// What is left of the timer's time.
pub(crate) fn timer_count() -> u32 {
    // SAFETY: INV-HV-APIC-1; reading this register changes nothing.
    unsafe { register(Register::TimerCurrentCount).read_volatile() }
}

/// Raises an interrupt of [`SELF_VECTOR`], which stays pending until it is
/// taken.
pub(crate) fn interrupt_self() {
    write(Register::InterruptCommand, TO_SELF | ASSERT | u32::from(SELF_VECTOR));
}

/// Says that the interrupt `vector` has been handled.
pub(crate) fn end_of_interrupt(vector: u8) {
    if vector != SPURIOUS_VECTOR {
        write(Register::EndOfInterrupt, 0);
    }
}

fn write(name: Register, value: u32) {
    // SAFETY: INV-HV-APIC-1: a write to one of those above makes the controller
    // access no memory.
    unsafe {
        register(name).write_volatile(value);
    }
}

/// Where a register is: mapped (`enable` has checked it) and no memory of
/// Rust's.
fn register(name: Register) -> *mut u32 {
    // SAFETY: as in `enable`; reading changes nothing.
    let base = unsafe { read_msr(Msr::APIC_BASE) } & BASE_MASK;
    ptr::with_exposed_provenance_mut(base as usize + usize::from(name as u16))
}
