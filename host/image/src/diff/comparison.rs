//! The comparison as a whole.

use serde::Serialize;

use super::fact::{self, FactChange};
use super::memory::{self, MemoryChange};
use crate::file::Igvm;
use crate::inspect::Report;

/// What differs between two files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diff {
    /// Whether the files are the same bytes.
    pub byte_identical: bool,
    /// Differences in everything but memory.
    pub facts: Vec<FactChange>,
    /// Differences in guest memory, sorted by address.
    pub memory: Vec<MemoryChange>,
}

impl Diff {
    /// Compares two files; `old` comes first in every message.
    #[must_use]
    pub fn new(old: &Igvm, new: &Igvm) -> Self {
        Self {
            byte_identical: old.size() == new.size() && old.sha256() == new.sha256(),
            facts: fact::changes(&Report::new(old), &Report::new(new)),
            memory: memory::changes(old, new),
        }
    }

    /// Whether both files load the same image: they may differ in the order of
    /// headers that do not matter and in the layout of the data section.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.facts.is_empty() && self.memory.is_empty()
    }
}
