//! What one processor is asked for, and whether it is there.

use super::atomic::{AtomicU64, Ordering};

/// Requests to one processor to forget all translations.
#[derive(Debug)]
pub struct FlushRequests {
    /// [`AWAY`], [`STALE`], and above them how many requests there were, which
    /// counts up by one for each, so that it never ends.
    pub(super) word: AtomicU64,
    /// How many of them are done. Changed by the processor itself alone.
    pub(super) done: AtomicU64,
}

/// The processor is away.
const AWAY: u64 = 1 << 0;

/// Somebody asked while it was away.
const STALE: u64 = 1 << 1;

/// One request, in the word.
const ONE: u64 = 1 << 2;

/// One request, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a request is done when its ticket says so"]
pub struct Ticket(u64);

impl FlushRequests {
    /// Asks the processor. What the caller wrote to page tables before is there
    /// when the processor translates again after it has done this.
    ///
    /// `None` if there is nothing to wait for: the processor is away, uses no
    /// translation that may have changed, and forgets all of them before it uses
    /// one.
    #[must_use = "a request is done when its ticket says so"]
    pub fn request(&self) -> Option<Ticket> {
        let mut word = self.word.load(Ordering::Relaxed);
        loop {
            let is_away = word & AWAY != 0;
            let next = if is_away { word | STALE } else { word.wrapping_add(ONE) };
            // Release: the processor sees the caller's tables. Acquire: of one
            // that is away, the caller sees all that it did before it left. Both
            // also where the word stays the same.
            match self.word.compare_exchange(word, next, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return (!is_away).then_some(Ticket(next / ONE)),
                Err(now) => word = now,
            }
        }
    }

    /// Whether the processor has done what the ticket stands for.
    #[must_use]
    pub fn is_done(&self, ticket: Ticket) -> bool {
        self.done.load(Ordering::Acquire) >= ticket.0
    }

    /// For the processor itself: whether somebody asks.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        self.word.load(Ordering::Relaxed) / ONE != self.done.load(Ordering::Relaxed)
    }

    /// For the processor itself, uninterrupted: calls `flush`, which forgets all
    /// translations, if somebody asks.
    pub fn serve(&self, flush: impl FnOnce()) {
        let requested = self.word.load(Ordering::Acquire) / ONE;
        if requested != self.done.load(Ordering::Relaxed) {
            flush();
            self.done.store(requested, Ordering::Release);
        }
    }

    /// For the processor itself: whether it is away.
    #[must_use]
    pub fn is_away(&self) -> bool {
        self.word.load(Ordering::Relaxed) & AWAY != 0
    }

    /// For the processor itself, uninterrupted: from now on nobody waits for it.
    /// Until it has [come back](Self::come_back) it uses no mapping that could
    /// change. Serves the requests that came before, as [`serve`](Self::serve).
    ///
    /// # Panics
    ///
    /// If it is away.
    pub fn leave(&self, mut flush: impl FnMut()) {
        loop {
            // A request that is not served makes the exchange fail.
            let word = self.done.load(Ordering::Relaxed).wrapping_mul(ONE);
            // Release: what was done by mappings is done before somebody finds
            // that there is nothing to wait for.
            let left =
                self.word.compare_exchange(word, word | AWAY, Ordering::Release, Ordering::Relaxed);
            match left {
                Ok(_) => return,
                Err(now) => assert!(now & AWAY == 0, "a processor leaves once"),
            }
            self.serve(&mut flush);
        }
    }

    /// For the processor itself, uninterrupted: it is asked and waited for again.
    /// Calls `flush`, which forgets all translations, if somebody asked
    /// meanwhile.
    ///
    /// # Panics
    ///
    /// If it is not away.
    pub fn come_back(&self, flush: impl FnOnce()) {
        // Whoever asks after this finds the processor here; the tables of
        // whoever asked before are seen from here on (Acquire).
        let word = self.word.fetch_sub(AWAY, Ordering::Acquire);
        assert!(word & AWAY != 0, "who comes back has been away");
        if word & STALE != 0 {
            // Nobody marks it while the processor is here.
            self.word.fetch_and(!STALE, Ordering::Relaxed);
            flush();
        }
    }
}
