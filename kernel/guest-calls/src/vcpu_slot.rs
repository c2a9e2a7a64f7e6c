//! What the registry knows of a virtual processor.
//!
//! | bits of the word | |
//! |---|---|
//! | 2:0 | [`State`] |
//! | 3 | the first one, which cannot be deleted |
//! | 23:8 | processor that it runs on |
//! | 63:24 | number of the page that is its save area |

use super::atomic::AtomicU64;

/// Pages have 40 bits of number: addresses have 52.
pub(super) const PAGE_NUMBERS: u64 = 1 << 40;

/// What becomes of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub(super) enum State {
    /// It can be used for a new virtual processor.
    Free = 0,
    /// A call makes it.
    Creating = 1,
    /// Its processor may serve a call of it, or any one delete it.
    Ready = 2,
    /// Its processor serves a call of it.
    Serving = 3,
    /// A call deletes it.
    Deleting = 4,
}

/// Which virtual processor an entry is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    /// Its save area, by page number below [`PAGE_NUMBERS`].
    pub(super) save_area: u64,
    /// The processor that it runs on.
    pub(super) processor: u16,
    /// Whether it is the first one.
    pub(super) is_first: bool,
}

impl Identity {
    /// The word that says this identity and state.
    pub(super) const fn word(self, state: State) -> u64 {
        self.save_area << 24
            | (self.processor as u64) << 8
            | (self.is_first as u64) << 3
            | state as u64
    }

    /// The identity that a word says, and its state; `None` for an entry that is
    /// free.
    pub(super) const fn of_word(word: u64) -> Option<(Self, State)> {
        let state = match word & 7 {
            1 => State::Creating,
            2 => State::Ready,
            3 => State::Serving,
            4 => State::Deleting,
            _ => return None,
        };
        let identity =
            Self { save_area: word >> 24, processor: (word >> 8) as u16, is_first: word & 8 != 0 };
        Some((identity, state))
    }
}

/// Place for a virtual processor.
#[derive(Debug)]
pub(super) struct VcpuSlot {
    /// See the table above.
    pub(super) word: AtomicU64,
    /// Number of the page that is its calling area, plus 1.
    pub(super) calling_area: AtomicU64,
}

impl VcpuSlot {
    pub(super) fn new() -> Self {
        Self { word: AtomicU64::new(State::Free as u64), calling_area: AtomicU64::new(0) }
    }
}
