//! Pages that processors read and write for the guest, and the order in which
//! these and claims look for each other.

use super::atomic::{AtomicU64, Ordering, fence};
use super::registry::Registry;

/// A page that a processor reads and writes; dropped, it does not any more.
#[derive(Debug)]
pub(super) struct Hold<'r> {
    touched: &'r AtomicU64,
}

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        // Release: what was read and written is over for whoever sees this.
        self.touched.store(0, Ordering::Release);
    }
}

/// Why pages that are claimed must be let go again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holder {
    /// One is a calling area.
    CallingArea,
    /// One is being read or written.
    Access,
}

impl Registry {
    /// Announces that `processor` is going to use a page. The caller then looks
    /// whether the page may be used and is not claimed, and drops this if not.
    pub(super) fn hold(&self, processor: usize, page: u64) -> Hold<'_> {
        let touched = &self.processor(processor).touched;
        let before = touched.load(Ordering::Relaxed);
        assert!(before == 0, "a processor holds one page at a time, and page {before:#x} is held");
        touched.store(page + 1, Ordering::Relaxed);
        // Pairs with the one in `holder`: claims are looked at after this.
        fence(Ordering::SeqCst);
        Hold { touched }
    }

    /// Who uses one of `count` pages from `first` on, which the caller has
    /// claimed.
    pub(super) fn holder(&self, first: u64, count: u64) -> Option<Holder> {
        // Pairs with the one in `hold`: the pages were claimed before this.
        fence(Ordering::SeqCst);
        let is_one = |page: u64| page.checked_sub(first).is_some_and(|distance| distance < count);
        // Holds first: a page that becomes a calling area is held meanwhile, so
        // that it is found as the one or the other.
        if self.touched().any(|(_, page)| is_one(page)) {
            Some(Holder::Access)
        } else if self.calling_areas().any(|(_, page)| is_one(page)) {
            Some(Holder::CallingArea)
        } else {
            None
        }
    }

    /// Whether a page that `processor` holds can become the calling area of a
    /// virtual processor of `target`: no other uses it.
    pub(super) fn other_user(&self, processor: usize, page: u64, target: u16) -> Option<Holder> {
        // Of two that want the same page, one sees the other's hold: both put
        // a fence between their announcement and this.
        if self.touched().any(|(other, touched)| other != processor && touched == page) {
            Some(Holder::Access)
        } else if self.calling_areas().any(|(other, area)| other != target && area == page) {
            Some(Holder::CallingArea)
        } else {
            None
        }
    }

    /// Processors that hold a page, with its number.
    fn touched(&self) -> impl Iterator<Item = (usize, u64)> {
        let page = |touched: &AtomicU64| touched.load(Ordering::Acquire).checked_sub(1);
        self.processors()
            .iter()
            .enumerate()
            .filter_map(move |(number, slot)| Some((number, page(&slot.touched)?)))
    }
}
