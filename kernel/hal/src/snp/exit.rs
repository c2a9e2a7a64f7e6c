//! VMGEXIT.

use core::arch::asm;

use abi_x86::Msr;

use crate::sync::Masked;

/// Writes `value` to the GHCB MSR and exits [GHCB 56421 2.04 §2.3].
///
/// Interrupts are masked, because a handler's request would leave another value
/// in the register.
#[inline(always)]
pub(super) fn exit(value: u64, _: &Masked) {
    // SAFETY: INV-EXIT-1: the GHCB MSR exists on every processor with SEV-SNP,
    // and writing it changes no memory. `rep vmmcall` is VMGEXIT [APM 24594
    // VMGEXIT]: registers stay as they are, and the host can change shared
    // memory only, which Rust reaches through atomic words.
    unsafe {
        asm!(
            "wrmsr",
            "rep vmmcall",
            in("ecx") Msr::GHCB.0,
            in("eax") value as u32,
            in("edx") (value >> 32) as u32,
            options(nostack, preserves_flags),
        );
    }
}
