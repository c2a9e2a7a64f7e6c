//! What is asked of a processor, as bits of one word.
//!
//! Others set bits. The processor takes those that it serves when it serves them,
//! and the one that ends its wait when it has waited: a wake-up that comes
//! between its decision to wait and the wait stays, whatever it serves in
//! between.

use super::atomic::{AtomicU32, Ordering};

/// What can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Request {
    /// Forget all translations.
    Flush = 1 << 0,
    /// Stop waiting.
    Wake = 1 << 1,
    /// Stop for good.
    Stop = 1 << 2,
}

/// The word of one processor.
#[derive(Debug)]
pub(crate) struct RequestWord(pub(super) AtomicU32);

/// What a processor is to serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asked(u32);

/// What is served, and not waited for.
const SERVED: u32 = Request::Flush as u32 | Request::Stop as u32;

impl RequestWord {
    /// Asks. Whatever the caller wrote before is seen by the processor when it
    /// has taken this.
    pub(crate) fn add(&self, request: Request) {
        self.0.fetch_or(request as u32, Ordering::Release);
    }

    /// For the processor itself: whether anything is asked, so that it should not
    /// wait.
    pub(crate) fn is_pending(&self) -> bool {
        self.0.load(Ordering::Relaxed) != 0
    }

    /// For the processor itself: takes what is to be served.
    pub(crate) fn take_served(&self) -> Asked {
        if self.0.load(Ordering::Relaxed) & SERVED == 0 {
            return Asked(0);
        }
        Asked(self.0.fetch_and(!SERVED, Ordering::Acquire))
    }

    /// For the processor itself: it has waited, and looks for what there is to do
    /// after this.
    pub(crate) fn take_wake(&self) {
        if self.0.load(Ordering::Relaxed) & Request::Wake as u32 != 0 {
            self.0.fetch_and(!(Request::Wake as u32), Ordering::Acquire);
        }
    }
}

impl Asked {
    /// Whether `request` is among it.
    pub(crate) fn contains(self, request: Request) -> bool {
        self.0 & request as u32 != 0
    }
}
