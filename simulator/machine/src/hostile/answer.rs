//! What the host answers, in a form in which it can be changed.

use alloc::vec::Vec;
use core::fmt;

/// A word of an answer, or of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Eax,
    Ebx,
    Ecx,
    Edx,
    Rax,
    Rbx,
    Rcx,
    Rdx,
    /// `SW_EXITINFO1`.
    ExitInfo1,
    /// `SW_EXITINFO2`.
    ExitInfo2,
    /// The GHCB MSR.
    GhcbMsr,
    /// What a register or port holds.
    Value,
    /// How a message to the security processor fared.
    Status,
}

impl Field {
    const ALL: [Self; 13] = [
        Self::Eax,
        Self::Ebx,
        Self::Ecx,
        Self::Edx,
        Self::Rax,
        Self::Rbx,
        Self::Rcx,
        Self::Rdx,
        Self::ExitInfo1,
        Self::ExitInfo2,
        Self::GhcbMsr,
        Self::Value,
        Self::Status,
    ];

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Eax => "eax",
            Self::Ebx => "ebx",
            Self::Ecx => "ecx",
            Self::Edx => "edx",
            Self::Rax => "rax",
            Self::Rbx => "rbx",
            Self::Rcx => "rcx",
            Self::Rdx => "rdx",
            Self::ExitInfo1 => "exit-info-1",
            Self::ExitInfo2 => "exit-info-2",
            Self::GhcbMsr => "ghcb-msr",
            Self::Value => "value",
            Self::Status => "status",
        }
    }

    pub(super) fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.word() == word)
    }

    /// The greatest value that it can have.
    pub(super) const fn limit(self) -> u64 {
        match self {
            Self::Eax | Self::Ebx | Self::Ecx | Self::Edx => u32::MAX as u64,
            _ => u64::MAX,
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// An answer: the words that it has, and the page that goes along with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Answer {
    words: Vec<(Field, u64)>,
    /// Empty if there is none.
    pub(super) page: Vec<u8>,
}

impl Answer {
    /// An answer of words only.
    pub(super) fn of_words(words: impl IntoIterator<Item = (Field, u64)>) -> Self {
        Self { words: words.into_iter().collect(), page: Vec::new() }
    }

    /// An answer of one word.
    pub(super) fn of_word(field: Field, value: u64) -> Self {
        Self::of_words([(field, value)])
    }

    pub(super) fn get(&self, field: Field) -> Option<u64> {
        self.words.iter().find(|(there, _)| *there == field).map(|(_, value)| *value)
    }

    /// The word as one of 32 bits, 0 if there is none.
    pub(super) fn get_32(&self, field: Field) -> u32 {
        self.get(field).unwrap_or(0) as u32
    }

    /// Sets a word, which the answer need not have had.
    pub(super) fn set(&mut self, field: Field, value: u64) {
        match self.words.iter_mut().find(|(there, _)| *there == field) {
            Some((_, word)) => *word = value,
            None => self.words.push((field, value)),
        }
    }
}
