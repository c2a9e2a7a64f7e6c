//! What a frame is used for.

/// Number of kinds.
pub const KINDS: usize = 16;

/// What a frame is used for, as a number below [`KINDS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind(u8);

impl Kind {
    /// The kind of this number.
    ///
    /// # Panics
    ///
    /// `number` is not below [`KINDS`]; in a constant, this does not compile.
    #[must_use]
    pub const fn new(number: u8) -> Self {
        assert!((number as usize) < KINDS, "kinds are numbered from 0 to 15");
        Self(number)
    }

    /// The kind's number.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }
}
