//! What can be wrong with a scenario.

use alloc::string::String;

use crate::gpa::Gpa;

/// A scenario that is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("scenario of the hostile host, line {line}: {problem}")]
pub struct ScenarioError {
    /// The line, the first is 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: ScenarioProblem,
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScenarioProblem {
    /// The line ends too early.
    #[error("the line ends where {0} should follow")]
    Missing(&'static str),
    /// A word that has no business there.
    #[error("`{word}` stands where {expected} should be")]
    Unexpected {
        /// The word.
        word: String,
        /// What could stand there.
        expected: &'static str,
    },
    /// A number that is too large.
    #[error("`{word}` is more than {limit:#x}, the greatest possible {what}")]
    TooLarge {
        /// The number.
        word: String,
        /// What it is the number of.
        what: &'static str,
        /// The greatest possible one.
        limit: u64,
    },
    /// A range that ends before it begins, or an occurrence before the first.
    #[error("the range is empty: it has to begin at 1 or later and not end before it begins")]
    EmptyRange,
    /// The action changes something that the trigger has not.
    #[error("`{action}` is not possible when `{trigger}`; the guide lists what is")]
    NotTogether {
        /// First word of the action, with the field that it names.
        action: String,
        /// First word of the trigger.
        trigger: &'static str,
    },
    /// `it` names the page of the occasion, and there is none.
    #[error("`it` is the page that the guest named, and when `{0}` it names none")]
    NoPage(&'static str),
    /// A tampering cannot wait: the answer goes out at once.
    #[error("only deeds can happen `after` some exits; an answer goes out at once")]
    CannotWait,
    /// An exception that cannot be injected.
    #[error(
        "exception {0} cannot be injected: 2 is `nmi`, and for 21 and 30 the emulator pushes no \
         error code"
    )]
    Exception(u64),
    /// The bytes do not fit where they should go.
    #[error("{length} bytes at offset {offset:#x} reach beyond the page")]
    BeyondPage {
        /// The first byte.
        offset: u64,
        /// How many there are.
        length: usize,
    },
    /// More rules than there may be.
    #[error("a scenario has at most {0} rules")]
    TooManyRules(usize),
    /// The machine has no such processor.
    #[error("there is no processor {number}: the machine has {count}")]
    NoProcessor {
        /// The processor.
        number: u32,
        /// How many there are.
        count: u32,
    },
    /// The guest has no memory there.
    #[error("the guest has no memory at {0}")]
    NoMemory(Gpa),
}
