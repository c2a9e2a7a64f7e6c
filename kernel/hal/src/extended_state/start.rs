//! Turning the registers on.

use core::arch::asm;

use super::area::FORMAT;
use super::format::Format;
use crate::control_registers::set_cr4;
use crate::cpuid::query;

/// Turns the extended registers on for this processor: those that the first one
/// that calls this was granted by CPUID. To be called by each processor before
/// it runs a thread with an [`ExtendedState`](super::ExtendedState).
pub fn start() {
    let chosen = Format::choose(query);
    // Whoever comes later uses what the first one chose, so that a thread's state
    // fits every processor.
    let _ = FORMAT.set(chosen);
    let format = loop {
        // Another processor may be just about to fill it.
        if let Some(format) = FORMAT.get() {
            break format;
        }
        core::hint::spin_loop();
    };
    // SAFETY: INV-CONTROL-1: CPUID grants them, and the kernel's own code uses
    // none of these instructions.
    unsafe { set_cr4(format.cr4()) };
    if let Format::Xsave { features } = format {
        // SAFETY: INV-EXTENDED-1: features that CPUID grants and that fit
        // together. On a processor that has not got them all the same, which is a
        // lie of the host, the instruction is an exception, which is reported.
        unsafe {
            asm!(
                "xsetbv",
                in("ecx") 0,
                in("eax") *features as u32,
                in("edx") (*features >> 32) as u32,
                options(nomem, nostack, preserves_flags),
            );
        }
    }
}
