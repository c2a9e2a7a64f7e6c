//! What other processors ask of this one.
//!
//! Each processor has a word of bits that the others set. It serves them
//! whenever interrupts are about to be unmasked, in the handler of the interrupt
//! that tells of it, and after it has waited. So where no interrupt reaches the
//! kernel (SEV-SNP without restricted injection) a request is still served at
//! the next end of a lock or the next wait.
//!
//! | file | what |
//! |---|---|
//! | `word` | the word |
//! | `empty` | how it begins |
//! | `atomic` | what it stands on |

mod atomic;
mod empty;
mod word;

#[cfg(test)]
mod race_tests;

use core::arch::asm;

use shootdown::{FlushRequests, Ticket};

pub(crate) use word::Request;
use word::RequestWord;

use crate::translations::forget_translations;

/// The requests to one processor.
pub(crate) struct Requests {
    word: RequestWord,
    flushes: FlushRequests,
}

impl Requests {
    /// None.
    pub(crate) const fn new() -> Self {
        Self { word: RequestWord::new(), flushes: FlushRequests::new() }
    }

    /// Asks. Whatever the caller wrote before is seen by the processor when it
    /// serves this, or has waited.
    pub(crate) fn add(&self, request: Request) {
        self.word.add(request);
    }

    /// Asks the processor to forget all translations; it must be made to look.
    /// `None` if it is away, and nobody has to wait for it.
    pub(crate) fn add_flush(&self) -> Option<Ticket> {
        let ticket = self.flushes.request()?;
        self.word.add(Request::Flush);
        Some(ticket)
    }

    /// Whether it has forgotten what the ticket stands for.
    pub(crate) fn has_flushed(&self, ticket: Ticket) -> bool {
        self.flushes.is_done(ticket)
    }

    /// Whether somebody asks for something.
    pub(crate) fn are_pending(&self) -> bool {
        self.word.is_pending()
    }

    /// For the processor itself, with interrupts masked: does what it is asked.
    pub(crate) fn serve(&self) {
        let asked = self.word.take_served();
        if asked.contains(Request::Stop) {
            halt();
        }
        if asked.contains(Request::Flush) {
            self.flushes.serve(forget_translations);
        }
    }

    /// For the processor itself: it has waited, and looks for what there is to do
    /// after this.
    pub(crate) fn take_wake(&self) {
        self.word.take_wake();
    }

    /// For the processor itself: whether it is away.
    pub(crate) fn is_away(&self) -> bool {
        self.flushes.is_away()
    }

    /// For the processor itself, with interrupts masked: nobody waits for it from
    /// now on (INV-AWAY-1).
    pub(crate) fn leave(&self) {
        self.flushes.leave(forget_translations);
    }

    /// For the processor itself, with interrupts masked: it is there again, and
    /// has no translations that are not true any more.
    pub(crate) fn come_back(&self) {
        self.flushes.come_back(forget_translations);
    }
}

/// Nothing runs on this processor any more.
pub(crate) fn halt() -> ! {
    loop {
        // SAFETY: halting changes nothing.
        unsafe { asm!("cli", "hlt", options(nomem, nostack)) };
    }
}
