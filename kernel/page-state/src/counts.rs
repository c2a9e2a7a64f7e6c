//! How many pages there are of each state.

use core::array;

use super::atomic::{AtomicU64, Ordering};
use super::state::PageState;

/// A number for each state. Numbers are right one by one; while processors
/// change pages they need not add up.
#[derive(Debug)]
pub(crate) struct Counts([AtomicU64; PageState::ALL.len()]);

impl Counts {
    /// All of these pages are absent.
    pub(crate) fn absent(pages: u64) -> Self {
        let pages = |state| if state == PageState::Absent { pages } else { 0 };
        Self(array::from_fn(|code| AtomicU64::new(pages(PageState::ALL[code]))))
    }

    pub(crate) fn of(&self, state: PageState) -> u64 {
        self.0[state.code() as usize].load(Ordering::Relaxed)
    }

    /// So many pages went from one state to another.
    pub(crate) fn change(&self, from: PageState, to: PageState, pages: u64) {
        self.0[from.code() as usize].fetch_sub(pages, Ordering::Relaxed);
        self.0[to.code() as usize].fetch_add(pages, Ordering::Relaxed);
    }
}
