//! Why a manifest is refused, told with file, line and key.

use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::input;

/// Longest piece of a line that a message quotes, in characters.
const MAX_QUOTE: usize = 100;

/// Why a manifest is refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error(transparent)]
    Read(#[from] input::Error),
    /// The file is not UTF-8.
    #[error("the manifest {} is not UTF-8 text", file.display())]
    NotText {
        /// The manifest.
        file: PathBuf,
    },
    /// Something is wrong with its content.
    #[error("{}:{line}: {problem}\n    {quote}", file.display())]
    Content {
        /// The manifest.
        file: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong and what to do about it.
        problem: String,
        /// The line's text.
        quote: String,
    },
}

impl Error {
    /// An error about the bytes `span` of `text`.
    pub(super) fn content(file: &Path, text: &str, span: Range<usize>, problem: String) -> Self {
        let before = text.get(..span.start).unwrap_or_default();
        let line = before.matches('\n').count();
        // Whoever reads the message on a terminal must not have it driven by a
        // broken file.
        let quote = text
            .lines()
            .nth(line)
            .unwrap_or_default()
            .trim()
            .chars()
            .take(MAX_QUOTE)
            .map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c })
            .collect();
        Self::Content { file: file.into(), line: line + 1, problem, quote }
    }
}
