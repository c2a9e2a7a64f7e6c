//! INVLPGB and TLBSYNC: one processor makes all of the machine's forget.
//!
//! [APM 24593 §5.5.3], operands as Linux has them (`arch/x86/include/asm/tlb.h`).
//! It was run in the platform simulator only, which has operands checked and
//! nothing that could be remembered.

use core::arch::asm;

use crate::cpuid;
use crate::sync::Once;

/// Sizes and extensions [APM 24594 appendix E.4.7]; bit 3 of EBX: the
/// instructions exist, and the host has granted them.
const EXTENSIONS: u32 = 0x8000_0008;
const INVLPGB: u32 = 1 << 3;

/// RAX: for one address space identifier, global translations included. Whatever
/// identifier a guest names, the processor takes the guest's own.
const OF_THIS_GUEST: u64 = 1 << 2 | 1 << 3;

static AVAILABLE: Once<bool> = Once::new();

/// Whether there are such instructions.
pub(crate) fn is_available() -> bool {
    match AVAILABLE.get() {
        Some(available) => *available,
        None => {
            let available = cpuid::query(EXTENSIONS, 0).ebx & INVLPGB != 0;
            // Others find out the same.
            let _ = AVAILABLE.set(available);
            available
        }
    }
}

/// Makes all processors forget all translations of this guest, and waits until
/// they have.
pub(crate) fn forget() {
    // SAFETY: forgotten translations are looked up again. The bytes are INVLPGB
    // and TLBSYNC; the latter waits for what this processor has asked for, so
    // nothing may interrupt them: a task that went on elsewhere would not have
    // waited. Memory accesses stay where they are.
    unsafe {
        asm!(
            "pushfq",
            "cli",
            ".byte 0x0f, 0x01, 0xfe",
            ".byte 0x0f, 0x01, 0xff",
            "popfq",
            in("rax") OF_THIS_GUEST,
            in("ecx") 0,
            in("edx") 0,
        );
    }
}
