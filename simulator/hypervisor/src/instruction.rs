//! Processor instructions that Rust has no word for.

use core::arch::asm;
use core::arch::x86_64::{__cpuid_count, CpuidResult};

use abi_x86::Msr;

/// What CPUID answers for `leaf` and `subleaf`.
pub(crate) fn cpuid(leaf: u32, subleaf: u32) -> CpuidResult {
    __cpuid_count(leaf, subleaf)
}

/// Reads a model-specific register.
///
/// # Safety
///
/// The processor has it: reading any other is an exception.
pub(crate) unsafe fn read_msr(msr: Msr) -> u64 {
    let (low, high): (u32, u32);
    // SAFETY: the caller's promise; reading changes nothing.
    unsafe {
        asm!(
            "rdmsr",
            in("ecx") msr.0,
            out("eax") low,
            out("edx") high,
            options(nomem, nostack, preserves_flags),
        );
    }
    u64::from(high) << 32 | u64::from(low)
}

/// Writes a model-specific register.
///
/// # Safety
///
/// The processor has it and accepts the value, and what changes with it keeps
/// all invariants.
pub(crate) unsafe fn write_msr(msr: Msr, value: u64) {
    // SAFETY: the caller's promise.
    unsafe {
        asm!(
            "wrmsr",
            in("ecx") msr.0,
            in("eax") value as u32,
            in("edx") (value >> 32) as u32,
            options(nostack, preserves_flags),
        );
    }
}

/// Reads CR2 and CR3.
pub(crate) fn cr2_and_cr3() -> (u64, u64) {
    let (cr2, cr3);
    // SAFETY: reading control registers changes nothing.
    unsafe {
        asm!(
            "mov {}, cr2",
            "mov {}, cr3",
            out(reg) cr2,
            out(reg) cr3,
            options(nomem, nostack, preserves_flags),
        );
    }
    (cr2, cr3)
}

/// Lets the processor take the interrupts that are pending.
pub(crate) fn take_interrupts() {
    // SAFETY: INV-HV-TRAP-1: the handler of an interrupt changes no register.
    // It does change memory, atomically, so `nomem` is not promised. STI takes
    // effect after the next instruction.
    unsafe {
        asm!("sti", "nop", "cli");
    }
}

/// Waits for an interrupt and takes it.
pub(crate) fn wait_for_interrupt() {
    // SAFETY: as in `take_interrupts`. STI takes effect after HLT has begun, so
    // that no interrupt is missed.
    unsafe {
        asm!("sti", "hlt", "cli");
    }
}

/// Stops the processor for good.
pub(crate) fn halt_forever() -> ! {
    loop {
        // SAFETY: interrupts stay off, so nothing happens any more.
        unsafe {
            asm!("cli", "hlt", options(nomem, nostack));
        }
    }
}
