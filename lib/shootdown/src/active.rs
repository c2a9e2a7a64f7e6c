//! Which processors may keep translations of an address space.

use super::atomic::{AtomicU64, Ordering, fence};

/// Most processors, numbered from 0, that a set can hold.
pub const MAX_PROCESSORS: u32 = u64::BITS;

/// The processors that use an address space.
#[derive(Debug)]
pub struct ActiveProcessors(pub(super) AtomicU64);

impl ActiveProcessors {
    /// Processor `number` is about to use the tables.
    ///
    /// # Panics
    ///
    /// If there cannot be such a processor.
    pub fn enter(&self, number: u32) {
        self.0.fetch_or(bit(number), Ordering::Relaxed);
        // Pairs with the one in `all`: the tables are read after this.
        fence(Ordering::SeqCst);
    }

    /// Processor `number` has forgotten all translations, and does not use the
    /// tables any more.
    ///
    /// # Panics
    ///
    /// If there cannot be such a processor.
    pub fn leave(&self, number: u32) {
        self.0.fetch_and(!bit(number), Ordering::Release);
    }

    /// The numbers of the processors that may still have translations from
    /// before the caller changed the tables.
    pub fn all(&self) -> impl Iterator<Item = u32> {
        // Pairs with the one in `enter`: the tables were written before this.
        fence(Ordering::SeqCst);
        let mut left = self.0.load(Ordering::Acquire);
        core::iter::from_fn(move || {
            let number = (left != 0).then(|| left.trailing_zeros())?;
            left &= left - 1;
            Some(number)
        })
    }
}

fn bit(number: u32) -> u64 {
    assert!(number < MAX_PROCESSORS, "processor {number}: there are at most {MAX_PROCESSORS}");
    1 << number
}
