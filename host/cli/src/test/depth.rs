//! How much is tested.

/// How much to test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// What every change must pass.
    Ordinary,
    /// Longer searches for rare faults, and every combination.
    Thorough,
}
