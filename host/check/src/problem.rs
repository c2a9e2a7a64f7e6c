//! What a check finds: problems, each with its place in the tree.

use std::fmt;

/// One thing that is wrong, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Path below the root of the tree, with `/` between its parts.
    pub file: String,
    /// Line in that file, counted from 1, where one line is to blame.
    pub line: Option<usize>,
    /// What is wrong and what to do, without a full stop at its end.
    pub message: String,
}

impl Problem {
    /// A problem with a file as a whole.
    pub(crate) fn in_file(file: impl Into<String>, message: impl Into<String>) -> Self {
        Self { file: file.into(), line: None, message: message.into() }
    }

    /// A problem in one line, counted from 1.
    pub(crate) fn at_line(
        file: impl Into<String>,
        line: usize,
        message: impl Into<String>,
    ) -> Self {
        Self { file: file.into(), line: Some(line), message: message.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file, self.message),
            None => write!(f, "{}: {}", self.file, self.message),
        }
    }
}

/// What one check says about the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The check's name in words, for a list of results.
    pub name: &'static str,
    /// What it found, sorted by file and line; empty if the tree passes.
    pub problems: Vec<Problem>,
}

impl Outcome {
    /// Whether the tree passes this check.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.problems.is_empty()
    }
}

/// The line, counted from 1, of the byte at `offset` of `text`.
pub(crate) fn line_of(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().get(..offset).unwrap_or(text.as_bytes());
    before.iter().filter(|byte| **byte == b'\n').count() + 1
}
