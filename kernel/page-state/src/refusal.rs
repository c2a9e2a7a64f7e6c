//! Why pages cannot be claimed.

use super::state::PageState;

/// What keeps pages from being claimed. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A page is in another state than the one who asks expects: an error of
    /// the guest's or the host's, whoever it was that named the page.
    #[error("page {page:#x} is {found}, not {expected}")]
    State {
        /// The first such page, by number.
        page: u64,
        /// Its state.
        found: PageState,
        /// The state it should have.
        expected: PageState,
    },
    /// A page is being changed by another processor. Worth trying again.
    #[error("page {page:#x} is being changed by another processor")]
    Claimed {
        /// The first such page, by number.
        page: u64,
    },
    /// No page goes from the one state to the other.
    #[error("a page that is {from} cannot become one that is {to}")]
    Transition {
        /// The expected state.
        from: PageState,
        /// The next state.
        to: PageState,
    },
    /// There is no block to keep account of single pages in. Worth trying again
    /// when there is more memory.
    #[error("no memory is left to keep account of single pages")]
    OutOfBlocks,
}
