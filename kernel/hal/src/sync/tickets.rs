//! Who is next: the protocol of a fair lock.
//!
//! Each processor that wants the lock draws a ticket and waits until its number
//! is served; leaving serves the next number. So processors get the lock in the
//! order in which they asked for it, and a slow one is never overtaken for ever.
//!
//! Numbers wrap around; at most 2³² - 1 processors can wait at once.

use super::atomic::{AtomicU32, Ordering, spin_loop};

/// The two counters of a lock. Both start at the same number.
#[derive(Debug)]
pub(super) struct Tickets {
    /// The number that the next processor draws.
    pub(super) next: AtomicU32,
    /// The number that has the lock, or the next to be drawn if nobody has it.
    pub(super) serving: AtomicU32,
}

impl Tickets {
    /// Draws a number and waits until it is served.
    pub(super) fn enter(&self) {
        let ticket = self.next.fetch_add(1, Ordering::Relaxed);
        // Acquire: what the one before did inside is visible from here on.
        while self.serving.load(Ordering::Acquire) != ticket {
            spin_loop();
        }
    }

    /// Gets in if nobody is inside or waits; whether it did.
    pub(super) fn try_enter(&self) -> bool {
        let serving = self.serving.load(Ordering::Acquire);
        // `next` equals `serving` only if nobody is inside, and whoever moves
        // it on is the one who gets in.
        self.next
            .compare_exchange(
                serving,
                serving.wrapping_add(1),
                Ordering::Relaxed,
                Ordering::Relaxed,
            )
            .is_ok()
    }

    /// Lets the next one in. Only for the one who is inside.
    pub(super) fn leave(&self) {
        // Nobody else writes `serving` meanwhile. Release: what was done inside
        // is visible to the next one.
        let ticket = self.serving.load(Ordering::Relaxed);
        self.serving.store(ticket.wrapping_add(1), Ordering::Release);
    }
}
