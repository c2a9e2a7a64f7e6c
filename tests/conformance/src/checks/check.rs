//! A check.

use crate::bench::Bench;
use crate::verdict::Verdict;

/// A check.
pub(crate) struct Check {
    /// Its name: subject and what holds.
    pub(crate) name: &'static str,
    /// Where that is specified.
    pub(crate) source: &'static str,
    /// What hardware does.
    pub(crate) hardware: &'static str,
    /// Tries it out.
    pub(crate) run: fn(&mut Bench) -> Verdict,
}
