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

/// Bits of the word that say the state.
const STATE: u64 = 7;
/// Bit of the word: the first one.
const FIRST: u64 = 1 << 3;

/// Which virtual processor an entry is for: the word without the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity(u64);

impl Identity {
    /// One with a save area, by page number below [`PAGE_NUMBERS`], that runs on
    /// a processor.
    pub(super) const fn new(save_area: u64, processor: u16) -> Self {
        Self(save_area << 24 | (processor as u64) << 8)
    }

    /// The same as the first one.
    pub(super) const fn first(self) -> Self {
        Self(self.0 | FIRST)
    }

    /// Its save area, by page number.
    pub(super) const fn save_area(self) -> u64 {
        self.0 >> 24
    }

    /// The processor that it runs on.
    pub(super) const fn processor(self) -> u16 {
        (self.0 >> 8) as u16
    }

    /// Whether it is the first one.
    pub(super) const fn is_first(self) -> bool {
        self.0 & FIRST != 0
    }

    /// The word that says this identity and state.
    pub(super) const fn word(self, state: State) -> u64 {
        self.0 | state as u64
    }

    /// The identity that a word says, and its state; `None` for an entry that is
    /// free.
    pub(super) const fn of_word(word: u64) -> Option<(Self, State)> {
        let state = match word & STATE {
            1 => State::Creating,
            2 => State::Ready,
            3 => State::Serving,
            4 => State::Deleting,
            _ => return None,
        };
        Some((Self(word & !STATE), state))
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
