//! The own processor forgets translations.

use core::arch::asm;

/// Makes this processor forget all translations: none is global.
pub(crate) fn forget_translations() {
    // SAFETY: CR3 keeps its value; forgotten translations are looked up again.
    unsafe { asm!("mov {0}, cr3", "mov cr3, {0}", out(reg) _, options(nostack, preserves_flags)) };
}
