//! A lock that its waiters spin on.

use core::cell::UnsafeCell;
use core::fmt;
use core::ops::{Deref, DerefMut};

use super::atomic::AtomicU32;
use super::masked::{Masked, mask};
use super::rank::Rank;
use super::this_processor::with_state;
use super::tickets::Tickets;

/// A value that one processor at a time may use.
///
/// Processors get it in the order in which they asked. Interrupts are masked
/// from before the wait until the guard is dropped, so hold it for a bounded,
/// short time and never wait for a task or for the host's goodwill meanwhile.
pub struct SpinLock<T: ?Sized> {
    tickets: Tickets,
    rank: Rank,
    value: UnsafeCell<T>,
}

// SAFETY: INV-LOCK-1: the lock hands the value to one processor after the other
// and never to two at once, which is what `T: Send` allows.
unsafe impl<T: ?Sized + Send> Sync for SpinLock<T> {}

impl<T> SpinLock<T> {
    /// A lock that nobody holds, around `value`. `rank` is its place in the lock
    /// order.
    pub const fn new(rank: Rank, value: T) -> Self {
        Self {
            tickets: Tickets { next: AtomicU32::new(0), serving: AtomicU32::new(0) },
            rank,
            value: UnsafeCell::new(value),
        }
    }

    /// The value, without the lock.
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<T: ?Sized> SpinLock<T> {
    /// Waits until this processor may use the value.
    ///
    /// # Panics
    ///
    /// With debug assertions, if the processor holds a lock of the same or a
    /// higher rank.
    #[track_caller]
    pub fn lock(&self) -> SpinLockGuard<'_, T> {
        let masked = mask();
        if cfg!(debug_assertions) {
            with_state(|state| state.ranks.add(self.rank));
        }
        self.tickets.enter();
        SpinLockGuard { lock: self, noted: cfg!(debug_assertions), _masked: masked }
    }

    /// The value, unless somebody uses it or waits for it. May be called with
    /// any locks held, for this cannot end in a deadlock.
    pub fn try_lock(&self) -> Option<SpinLockGuard<'_, T>> {
        let masked = mask();
        if !self.tickets.try_enter() {
            return None;
        }
        let noted =
            cfg!(debug_assertions) && with_state(|state| state.ranks.add_out_of_order(self.rank));
        Some(SpinLockGuard { lock: self, noted, _masked: masked })
    }

    /// The value, which nobody else can reach.
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }
}

impl<T: ?Sized> fmt::Debug for SpinLock<T> {
    /// Shows neither the value, for which it would have to wait, nor who has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpinLock").field("rank", &self.rank).finish_non_exhaustive()
    }
}

/// The right to use a [`SpinLock`]'s value; gives it back when dropped.
#[must_use = "the lock is given back when it is dropped"]
pub struct SpinLockGuard<'a, T: ?Sized> {
    lock: &'a SpinLock<T>,
    /// Whether the rank is to be taken from the processor's ranks at the end.
    noted: bool,
    /// Fields are dropped after `drop` has given the lock back, so interrupts
    /// come when it is free. It also keeps the guard on its processor.
    _masked: Masked,
}

impl<T: ?Sized> Deref for SpinLockGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: INV-LOCK-1: a guard exists only while its ticket is served.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T: ?Sized> DerefMut for SpinLockGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: INV-LOCK-1, as above; `&mut self` makes it the only reference.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T: ?Sized> Drop for SpinLockGuard<'_, T> {
    fn drop(&mut self) {
        self.lock.tickets.leave();
        if self.noted {
            with_state(|state| state.ranks.remove(self.lock.rank));
        }
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for SpinLockGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// Whether the running processor holds a lock, as far as that is noted: with
/// debug assertions.
pub(crate) fn holds_locks() -> bool {
    let _masked = mask();
    !with_state(|state| state.ranks.is_empty())
}

#[cfg(test)]
mod tests;
