//! How a connection ends.

/// What is to be done when a connection is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Nothing: the other side left.
    Left,
    /// The program shall end: the other side asked for it.
    Stop,
}
