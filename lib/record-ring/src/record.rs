//! What a reader gets, and where it stands.

use crate::reserved::Number;

/// Where a reader stands in a ring: behind the last record that it got. A new
/// one stands before the first record that was ever written.
///
/// It belongs to the one ring that it reads; in another it finds records, but
/// counts losses wrongly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Cursor {
    pub(crate) position: u64,
    pub(crate) number: Number,
}

/// A record, as a reader gets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// The time that the writer gave, in its own unit.
    pub time: u64,
    /// The tag that the writer gave.
    pub tag: u8,
    /// The content; its beginning, if the reader's buffer is smaller.
    pub content: &'a [u8],
    /// Records between the last one that this reader got and this one which it
    /// cannot get any more, modulo 2²⁴.
    pub lost: u32,
}
