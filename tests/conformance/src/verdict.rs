//! What a check comes to.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Debug;

/// Why a check has not passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Objection {
    /// The platform does something else than it should: `expected …, got …`.
    Failed(String),
    /// The platform lacks what the check is about, and may.
    Skipped(String),
}

/// What a check comes to.
pub(crate) type Verdict<T = ()> = Result<T, Objection>;

/// Fails if `got` is not `expected`.
pub(crate) fn expect<T: PartialEq + Debug>(what: &str, expected: T, got: T) -> Verdict {
    if got == expected {
        return Ok(());
    }
    Err(failed(format!("{what}: expected {expected:#x?}, got {got:#x?}")))
}

/// Fails if `holds` does not; `got` is what there is instead.
pub(crate) fn require<T: Debug>(holds: bool, expected: &str, got: T) -> Verdict {
    if holds { Ok(()) } else { Err(failed(format!("expected {expected}, got {got:#x?}"))) }
}

/// A failure. Whatever lines the text has become one.
pub(crate) fn failed(text: String) -> Objection {
    Objection::Failed(text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// The platform lacks something that it may lack.
pub(crate) fn skip<T>(reason: &str) -> Verdict<T> {
    Err(Objection::Skipped(reason.into()))
}
