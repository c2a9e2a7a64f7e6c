//! A static that one owner takes, once.
//!
//! The processor's tables must live at a fixed address for ever, need filling
//! first, and then belong to the processor alone. [`TakeOnce`] gives their
//! memory out as an exclusive reference, to the first who asks.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, Ordering};

/// A value that can be taken out as `&'static mut` once.
pub(crate) struct TakeOnce<T> {
    taken: AtomicBool,
    value: UnsafeCell<T>,
}

// SAFETY: the only way to the value is `take`, which lets one caller through
// (INV-TAKE-1); that caller may be on another processor than the one that made
// the value, which `T: Send` allows.
unsafe impl<T: Send> Sync for TakeOnce<T> {}

impl<T> TakeOnce<T> {
    /// A value that nobody has taken.
    pub(crate) const fn new(value: T) -> Self {
        Self { taken: AtomicBool::new(false), value: UnsafeCell::new(value) }
    }

    /// The value, or `None` if it was taken before.
    #[expect(clippy::mut_from_ref, reason = "exclusive because the value is given out once")]
    pub(crate) fn take(&'static self) -> Option<&'static mut T> {
        if self.taken.swap(true, Ordering::AcqRel) {
            return None;
        }
        // SAFETY: INV-TAKE-1: `taken` only ever goes from false to true, so one
        // caller gets here, and this is the only reference that is ever made.
        Some(unsafe { &mut *self.value.get() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn second_taker_gets_nothing() {
        static VALUE: TakeOnce<u32> = TakeOnce::new(7);
        let first = VALUE.take().map(|value| {
            *value += 1;
            *value
        });
        assert_eq!(first, Some(8));
        assert!(VALUE.take().is_none());
    }
}
