//! What a processor forbids the kernel, beyond its page tables.

use abi_x86::Cr4;

use crate::control_registers::set_cr4;
use crate::cpuid;
use crate::memory::note_smap;

/// Structured extended features [APM 24594 appendix E.3.6].
const FEATURES: u32 = 7;
/// In EBX.
const SMEP: u32 = 1 << 7;
/// In EBX.
const SMAP: u32 = 1 << 20;
/// In ECX.
const UMIP: u32 = 1 << 2;

/// Sets everything of this kind that the own processor has: the kernel does not
/// execute user pages, does not access them but where it means to, and user mode
/// does not learn where the kernel's tables are. Debugging registers are left
/// alone.
pub(crate) fn load() {
    let answer = cpuid::query(FEATURES, 0);
    let mut flags = Cr4::empty();
    flags.set(Cr4::SMEP, answer.ebx & SMEP != 0);
    flags.set(Cr4::SMAP, answer.ebx & SMAP != 0);
    flags.set(Cr4::UMIP, answer.ecx & UMIP != 0);
    // SAFETY: INV-CONTROL-1: the kernel maps no user pages as its own.
    unsafe { set_cr4(flags) };
    if flags.contains(Cr4::SMAP) {
        note_smap();
    }
}
