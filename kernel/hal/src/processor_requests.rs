//! What other processors ask of this one.
//!
//! Each processor has a word of bits that the others set, and that it takes
//! whenever interrupts are about to be unmasked, in the handler of the interrupt
//! that tells of it, and while it waits. So where no interrupt reaches the
//! kernel (SEV-SNP without restricted injection) a request is still served at
//! the next end of a lock or the next wait.

use core::arch::asm;
use core::sync::atomic::{AtomicU32, Ordering};

use shootdown::FlushRequests;

/// The requests to one processor.
pub(crate) struct Requests {
    /// Bits of [`Request`].
    pending: AtomicU32,
    /// Requests to forget translations.
    pub(crate) flushes: FlushRequests,
}

/// What can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Request {
    /// Forget all translations: `flushes` says how often.
    Flush = 1 << 0,
    /// Stop waiting.
    Wake = 1 << 1,
    /// Stop for good.
    Stop = 1 << 2,
}

impl Requests {
    /// None.
    pub(crate) const fn new() -> Self {
        Self { pending: AtomicU32::new(0), flushes: FlushRequests::new() }
    }

    /// Asks. Whatever the caller wrote before is seen by the processor when it
    /// serves this.
    pub(crate) fn add(&self, request: Request) {
        self.pending.fetch_or(request as u32, Ordering::Release);
    }

    /// Whether somebody asks.
    pub(crate) fn are_pending(&self) -> bool {
        self.pending.load(Ordering::Relaxed) != 0
    }

    /// For the processor itself, with interrupts masked: does what it is asked.
    pub(crate) fn serve(&self) {
        if !self.are_pending() {
            return;
        }
        let asked = self.pending.swap(0, Ordering::Acquire);
        if asked & Request::Stop as u32 != 0 {
            halt();
        }
        if asked & Request::Flush as u32 != 0 {
            self.flushes.serve(forget_translations);
        }
    }
}

/// Makes this processor forget all translations: none is global.
fn forget_translations() {
    // SAFETY: CR3 keeps its value; forgotten translations are looked up again.
    unsafe { asm!("mov {0}, cr3", "mov cr3, {0}", out(reg) _, options(nostack, preserves_flags)) };
}

/// Nothing runs on this processor any more.
pub(crate) fn halt() -> ! {
    loop {
        // SAFETY: halting changes nothing.
        unsafe { asm!("cli", "hlt", options(nomem, nostack)) };
    }
}
