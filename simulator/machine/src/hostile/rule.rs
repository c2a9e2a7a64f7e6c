//! One rule: what it waits for, what it does, and how often it has.

use alloc::string::String;

use abi_snp::Vmpl;

use crate::gpa::Gpa;
use crate::hostile::answer::Answer;
use crate::hostile::deed::Deed;
use crate::hostile::occasion::Occasion;
use crate::hostile::place::{Place, Who};
use crate::hostile::tampering::Tampering;
use crate::hostile::trigger::Trigger;
use crate::processors::Target;

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    /// The line of the scenario that holds it.
    pub(super) line: usize,
    /// The line's text, without comment.
    pub(super) text: String,
    pub(super) trigger: Trigger,
    pub(super) actor: Actor,
    pub(super) which: Occurrences,
    pub(super) action: Action,
    pub(super) progress: Progress,
}

/// What a rule does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Tamper(Tampering),
    /// A deed, so many exits later.
    Do {
        deed: Deed<Place, Who>,
        after_exits: u64,
    },
}

/// Whose doing a rule waits for. `None` is anybody's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Actor {
    pub(super) processor: Option<u32>,
    pub(super) vmpl: Option<Vmpl>,
}

/// Which occurrences of the trigger count: from the first to the last, both
/// included. The very first is 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Occurrences {
    pub(super) first: u64,
    pub(super) last: u64,
}

impl Occurrences {
    pub(super) const ALL: Self = Self { first: 1, last: u64::MAX };
    pub(super) const FIRST: Self = Self { first: 1, last: 1 };
}

/// What has become of a rule so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// How often the trigger has held.
    pub(super) occurrences: u64,
    /// How often the action was done.
    pub(super) done: u64,
    /// How often it could not be done.
    pub(super) failed: u64,
    /// What the host would have answered the last time, if it is replayed.
    pub(super) earlier: Option<Answer>,
}

impl Rule {
    /// Whether the rule waits for what `target` does. It is counted if so.
    pub(super) fn meets(&mut self, target: Target, occasion: Occasion) -> Meeting {
        let Actor { processor, vmpl } = self.actor;
        let meets = processor.is_none_or(|number| number == target.processor.apic_id())
            && vmpl.is_none_or(|vmpl| vmpl == target.vmpl)
            && self.trigger.holds(occasion);
        if meets { self.count() } else { Meeting::No }
    }

    /// Whether it is time for a rule that waits for a time.
    pub(super) fn is_due(&mut self, now_ns: u64) -> bool {
        matches!(self.trigger, Trigger::Time(time_ns) if time_ns <= now_ns)
            && self.count() == Meeting::Acts
    }

    /// When the rule will act, if it waits for a time still.
    pub(super) fn due_ns(&self) -> Option<u64> {
        match self.trigger {
            Trigger::Time(time_ns) if self.progress.occurrences == 0 => Some(time_ns),
            _ => None,
        }
    }

    fn count(&mut self) -> Meeting {
        let occurrence = self.progress.occurrences.saturating_add(1);
        self.progress.occurrences = occurrence;
        if (self.which.first..=self.which.last).contains(&occurrence) {
            Meeting::Acts
        } else {
            Meeting::Watches
        }
    }

    /// Addresses that the rule names itself.
    pub(super) fn addresses(&self) -> impl Iterator<Item = Gpa> {
        let deed = match &self.action {
            Action::Do { deed, .. } => Some(deed),
            Action::Tamper(_) => None,
        };
        deed.into_iter().flat_map(Deed::places).filter_map(|place| match place {
            Place::At(gpa) => Some(gpa),
            Place::It(_) => None,
        })
    }

    /// Processors that the rule names.
    pub(super) fn processors(&self) -> impl Iterator<Item = u32> {
        let named = match &self.action {
            Action::Do { deed, .. } => deed.processor(),
            Action::Tamper(_) => None,
        };
        let named = named.and_then(|who| match who {
            Who::Number(number) => Some(number),
            Who::It => None,
        });
        self.actor.processor.into_iter().chain(named)
    }
}

/// Whether a rule has to do with something that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meeting {
    /// It has not.
    No,
    /// Its trigger holds, but this occurrence does not count.
    Watches,
    /// It acts.
    Acts,
}
