//! A set of a function's configuration registers.

/// Some of the 64 registers of 32 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) struct RegisterSet(u64);

impl RegisterSet {
    pub(super) const EMPTY: Self = Self(0);

    /// Adds the register that the byte at `offset` is in.
    pub(super) fn insert(&mut self, offset: u8) {
        self.0 |= bit(offset);
    }

    /// Whether the register that the byte at `offset` is in is one of them.
    pub(super) const fn has(self, offset: u8) -> bool {
        self.0 & bit(offset) != 0
    }

    /// Those of either.
    pub(super) const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

const fn bit(offset: u8) -> u64 {
    1 << (offset / 4)
}
