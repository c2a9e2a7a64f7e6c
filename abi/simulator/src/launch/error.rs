//! What can be wrong with a launch file.

use crate::launch::record::{RecordKind, VERSION};

/// Why bytes are not a launch file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no launch file, or only the first bytes of one.
    #[error("the launch file has {0} bytes, too few for its header")]
    NoHeader(usize),
    /// Something else than a launch file.
    #[error("this is no launch file: it does not start with `SVSM-SIM`")]
    Magic,
    /// Written by another version of this project.
    #[error(
        "the launch file has version {0}, this program knows version {VERSION} only: build host \
         tools and simulator from the same commit"
    )]
    Version(u32),
    /// The header is not as long as its version has it.
    #[error("the launch file states a header of {0} bytes")]
    HeaderSize(u32),
    /// It was cut off, or something was added.
    #[error("the launch file states {stated} bytes, but {actual} are there")]
    TotalSize {
        /// What its header says.
        stated: u64,
        /// What is there.
        actual: u64,
    },
    /// A record is not as it should be.
    #[error("record `{kind}` at offset {offset:#x} of the launch file: {problem}")]
    Record {
        /// Where its head starts.
        offset: usize,
        /// What it is.
        kind: RecordKind,
        /// What is wrong with it.
        problem: Problem,
    },
    /// A record that has to be there is not.
    #[error("the launch file lacks its record `{0}`")]
    Missing(RecordKind),
}

/// What can be wrong with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Head, content or padding run over the end of the file.
    #[error("it runs over the end of the file")]
    Truncated,
    /// No record has this number.
    #[error("there is no such record")]
    Unknown,
    /// The content is not as long as it has to be.
    #[error("it has {found} bytes of content instead of {expected}")]
    Size {
        /// Bytes that it should have.
        expected: u64,
        /// Bytes that it has.
        found: u64,
    },
    /// There may be one only.
    #[error("there is another one before it")]
    Repeated,
    /// It comes before a record that it depends on.
    #[error("record `{0}` has to come before it")]
    Early(RecordKind),
    /// Options come first.
    #[error("the first record has to be `options`")]
    NotFirst,
    /// A field has a value that it must not have.
    #[error("{field} is {value:#x}: {rule}")]
    Field {
        /// The field.
        field: &'static str,
        /// What it holds.
        value: u64,
        /// What it may hold.
        rule: &'static str,
    },
    /// Content for another number of pages than the record is about.
    #[error("it has the content of {found} pages instead of {expected}")]
    Content {
        /// Pages that it should have content for.
        expected: u64,
        /// Pages that it has content for.
        found: u64,
    },
    /// Pages outside the guest's memory.
    #[error("pages from {gpa:#x} up to {end:#x} are not in the guest's memory")]
    OutsideMemory {
        /// First address.
        gpa: u64,
        /// First address behind them.
        end: u64,
    },
    /// The text is none.
    #[error("it is not UTF-8")]
    NotText,
}

impl Problem {
    /// `Ok` if `holds`, otherwise that `field`, which has `value`, breaks
    /// `rule`.
    pub(super) fn unless(
        holds: bool,
        field: &'static str,
        value: u64,
        rule: &'static str,
    ) -> Result<(), Self> {
        if holds { Ok(()) } else { Err(Self::Field { field, value, rule }) }
    }
}
