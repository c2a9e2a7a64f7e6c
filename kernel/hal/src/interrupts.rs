//! Masking interrupts.
//!
//! Interrupts are masked by the processor's flag, RFLAGS.IF, on all platforms.
//! Under SEV-SNP's restricted injection nothing but #HV arrives, whatever the
//! flag says; its handler goes by the flag of the code that it interrupted.

use core::arch::asm;
use core::marker::PhantomData;

use abi_x86::Rflags;

/// Proof that interrupts are masked on this processor: nothing else runs on it
/// meanwhile, except handlers of exceptions. When the value is dropped the flag
/// is again as it was before, so the last such value goes first.
#[derive(Debug)]
#[must_use = "interrupts are masked as long as the value lives"]
pub struct Masked {
    were_unmasked: bool,
    /// It belongs to the processor on which it was made.
    not_send: PhantomData<*const ()>,
}

/// Masks interrupts on this processor.
pub fn mask() -> Masked {
    let flags: u64;
    // SAFETY: fewer interrupts harm nobody. Memory accesses that come after stay
    // after, since the compiler takes this to access memory.
    unsafe { asm!("pushfq", "pop {}", "cli", out(reg) flags) }
    Masked { were_unmasked: flags & Rflags::IF.bits() != 0, not_send: PhantomData }
}

impl Drop for Masked {
    fn drop(&mut self) {
        if self.were_unmasked {
            // SAFETY: the flag was set before, so the code that goes on expects
            // interrupts. Memory accesses that come before stay before.
            unsafe { asm!("sti", options(nostack)) }
        }
    }
}
