//! The rules that something which happens has met.

use alloc::vec::Vec;
use core::fmt;

use crate::hostile::occasion::Occasion;
use crate::hostile::tampering::Tampering;
use crate::processors::Target;

/// A rule that was met, by its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Hit {
    /// It acts.
    Acts { rule: usize, tampering: Tampering },
    /// It keeps the answer, to replay it later.
    Watches { rule: usize },
}

/// The rules that were met, in their order, and by what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hits {
    target: Target,
    occasion: Occasion,
    hits: Vec<Hit>,
}

/// What is done about a request instead of serving it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Deny,
    Ignore,
    /// It is done so many exits later, by this rule.
    Delay {
        rule: usize,
        exits: u64,
    },
}

impl Hits {
    pub(super) const fn new(target: Target, occasion: Occasion) -> Self {
        Self { target, occasion, hits: Vec::new() }
    }

    pub(super) fn push(&mut self, hit: Hit) {
        self.hits.push(hit);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.hits.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Hit> {
        self.hits.iter()
    }

    /// What the rules want done about the request, and which rule it is. The
    /// first that wants something is heard.
    pub(super) fn verdict(&self) -> Option<(usize, Verdict)> {
        self.hits.iter().find_map(|hit| match hit {
            Hit::Acts { rule, tampering } => {
                let verdict = match tampering {
                    Tampering::Deny => Verdict::Deny,
                    Tampering::Ignore => Verdict::Ignore,
                    Tampering::Delay(exits) => Verdict::Delay { rule: *rule, exits: *exits },
                    _ => return None,
                };
                Some((*rule, verdict))
            }
            Hit::Watches { .. } => None,
        })
    }
}

impl fmt::Display for Hits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {} at {}", self.occasion, self.target.processor, self.target.vmpl)
    }
}
