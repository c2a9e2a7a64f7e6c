//! Which ranks of locks a processor holds.

use core::sync::atomic::{AtomicU32, Ordering};

use super::rank::Rank;

/// The ranks of the locks that one processor holds, one bit each.
///
/// Only the processor itself uses it, with interrupts masked. What still comes
/// through (exceptions, non-maskable interrupts) gives back what it took before
/// it returns, so plain loads and stores are enough.
#[derive(Debug)]
pub(super) struct HeldRanks(AtomicU32);

impl HeldRanks {
    /// No lock is held.
    pub(super) const fn none() -> Self {
        Self(AtomicU32::new(0))
    }

    /// Notes that a lock of `rank` is about to be taken.
    ///
    /// # Panics
    ///
    /// If the processor holds a lock of this rank or a higher one.
    #[track_caller]
    pub(super) fn add(&self, rank: Rank) {
        let held = self.0.load(Ordering::Relaxed);
        assert!(
            held >> rank as u32 == 0,
            "lock order: {rank:?} after a lock of bit {} in {held:#b}; see `Rank` for the order",
            held.ilog2(),
        );
        self.0.store(held | 1 << rank as u32, Ordering::Relaxed);
    }

    /// Notes that a lock of `rank` was taken without waiting, which cannot end
    /// in a deadlock and therefore may break the order. Returns whether it was
    /// the only one of its rank, so that its holder is to [`remove`](Self::remove) it.
    pub(super) fn add_out_of_order(&self, rank: Rank) -> bool {
        let held = self.0.load(Ordering::Relaxed);
        self.0.store(held | 1 << rank as u32, Ordering::Relaxed);
        held >> rank as u32 & 1 == 0
    }

    /// Notes that the lock of `rank` was given back.
    pub(super) fn remove(&self, rank: Rank) {
        let held = self.0.load(Ordering::Relaxed);
        self.0.store(held & !(1 << rank as u32), Ordering::Relaxed);
    }

    /// Whether no lock is held.
    pub(super) fn is_empty(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }
}
