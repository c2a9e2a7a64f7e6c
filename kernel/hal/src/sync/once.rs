//! A cell that is filled once and read by everybody.

use core::cell::UnsafeCell;
use core::fmt;
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicU8, Ordering};

/// Nobody has filled it.
const EMPTY: u8 = 0;
/// Somebody is filling it.
const FILLING: u8 = 1;
/// It is filled, for ever.
const FULL: u8 = 2;

/// A value that the start puts in and everybody reads afterwards.
///
/// Reading never waits: who comes too early finds nothing. For statics: the
/// value is not dropped.
pub struct Once<T> {
    state: AtomicU8,
    value: UnsafeCell<MaybeUninit<T>>,
}

// SAFETY: INV-ONCE-1: one thread moves the value in (`T: Send`), and many see
// it afterwards (`T: Sync`).
unsafe impl<T: Send + Sync> Sync for Once<T> {}

impl<T> Once<T> {
    /// An empty cell.
    #[must_use]
    pub const fn new() -> Self {
        Self { state: AtomicU8::new(EMPTY), value: UnsafeCell::new(MaybeUninit::uninit()) }
    }

    /// Fills the cell.
    ///
    /// # Errors
    ///
    /// Gives `value` back if the cell was filled before, or is being filled.
    pub fn set(&self, value: T) -> Result<&T, T> {
        let claim =
            self.state.compare_exchange(EMPTY, FILLING, Ordering::Relaxed, Ordering::Relaxed);
        if claim.is_err() {
            return Err(value);
        }
        // SAFETY: INV-ONCE-1: one caller leaves the state EMPTY and gets here;
        // nobody reads before it is FULL.
        let value = unsafe { (*self.value.get()).write(value) };
        self.state.store(FULL, Ordering::Release);
        Ok(value)
    }

    /// The value, once it is there.
    #[must_use]
    pub fn get(&self) -> Option<&T> {
        if self.state.load(Ordering::Acquire) != FULL {
            return None;
        }
        // SAFETY: INV-ONCE-1: FULL is stored after the value was written, and
        // nobody changes it any more.
        Some(unsafe { (*self.value.get()).assume_init_ref() })
    }
}

impl<T> Default for Once<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: fmt::Debug> fmt::Debug for Once<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Once").field(&self.get()).finish()
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::thread;
    use std::vec::Vec;

    use super::*;

    #[test]
    fn first_value_stays() {
        let cell = Once::new();
        assert_eq!(cell.get(), None);
        assert_eq!(cell.set(1), Ok(&1));
        assert_eq!(cell.set(2), Err(2));
        assert_eq!(cell.get(), Some(&1));
    }

    #[test]
    fn one_of_many_fills_it_and_all_see_the_same() {
        let cell = Once::new();
        let filled: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|n| {
                    scope.spawn({
                        let cell = &cell;
                        move || cell.set(n).is_ok()
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap_or_default()).collect()
        });
        assert_eq!(filled.iter().filter(|won| **won).count(), 1);
        let winner = filled.iter().position(|won| *won);
        assert_eq!(cell.get().copied(), winner);
    }
}
