//! What one processor is asked for.

use super::atomic::{AtomicU64, Ordering};

/// Requests to one processor to forget all translations.
#[derive(Debug)]
pub struct FlushRequests {
    /// How many there were. Counts up by one for each, so that it never ends.
    pub(super) requested: AtomicU64,
    /// How many of them are done. Changed by the processor itself alone.
    pub(super) done: AtomicU64,
}

/// One request, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a request is done when its ticket says so"]
pub struct Ticket(u64);

impl FlushRequests {
    /// Asks the processor. What the caller wrote to page tables before is there
    /// when the processor translates again after it has done this.
    pub fn request(&self) -> Ticket {
        Ticket(self.requested.fetch_add(1, Ordering::AcqRel).wrapping_add(1))
    }

    /// Whether the processor has done what the ticket stands for.
    #[must_use]
    pub fn is_done(&self, ticket: Ticket) -> bool {
        self.done.load(Ordering::Acquire) >= ticket.0
    }

    /// For the processor itself: whether somebody asks.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        self.requested.load(Ordering::Relaxed) != self.done.load(Ordering::Relaxed)
    }

    /// For the processor itself, uninterrupted: calls `flush`, which forgets all
    /// translations, if somebody asks.
    pub fn serve(&self, flush: impl FnOnce()) {
        let requested = self.requested.load(Ordering::Acquire);
        if requested != self.done.load(Ordering::Relaxed) {
            flush();
            self.done.store(requested, Ordering::Release);
        }
    }
}
