//! Processors of the VM, by identifier.

use crate::refusal::{Area, Refusal, Rule};

/// Whether a processor can be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessorStatus {
    /// It is there.
    Enabled,
    /// It may be added while the VM runs.
    OnlineCapable,
}

/// A virtual processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Processor {
    /// Its x2APIC identifier.
    pub apic_id: u32,
    /// Whether it can be started.
    pub status: ProcessorStatus,
}

impl Processor {
    /// Something to fill an array with that a reader is to write to.
    pub const NONE: Self = Self { apic_id: 0, status: ProcessorStatus::OnlineCapable };
}

/// All processors that the host says there are or can be: sorted by identifier,
/// each one once, at least one of them enabled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Processors<'a> {
    all: &'a [Processor],
    area: Area,
}

impl<'a> Processors<'a> {
    /// All, by ascending identifier.
    #[must_use]
    pub const fn all(&self) -> &'a [Processor] {
        self.all
    }

    /// Identifiers of those that can be started now, ascending.
    pub fn enabled(&self) -> impl Iterator<Item = u32> + 'a {
        let enabled = |processor: &&Processor| processor.status == ProcessorStatus::Enabled;
        self.all.iter().filter(enabled).map(|processor| processor.apic_id)
    }

    /// Compares with the number that another area states.
    ///
    /// # Errors
    ///
    /// As many processors are not enabled.
    pub fn check_count(&self, stated: u32) -> Result<(), Refusal> {
        let listed = u32::try_from(self.enabled().count()).unwrap_or(u32::MAX);
        match listed == stated {
            true => Ok(()),
            false => Err(Rule::ProcessorsDiffer { listed, stated }.of(self.area)),
        }
    }
}

/// Collects processors in any order.
pub(crate) struct ProcessorsBuilder<'a> {
    storage: &'a mut [Processor],
    used: usize,
}

impl<'a> ProcessorsBuilder<'a> {
    pub(crate) const fn new(storage: &'a mut [Processor]) -> Self {
        Self { storage, used: 0 }
    }

    /// Adds a processor whose identifier does not address several.
    pub(crate) fn add(&mut self, apic_id: u32, status: ProcessorStatus) -> Result<(), Rule> {
        // The broadcast identifier in x2APIC mode [SDM 3A §11.12.9].
        if apic_id == u32::MAX {
            return Err(Rule::ProcessorIdentifier(apic_id.into()));
        }
        let capacity = self.storage.len();
        *self.storage.get_mut(self.used).ok_or(Rule::TooManyEntries(capacity))? =
            Processor { apic_id, status };
        self.used += 1;
        Ok(())
    }

    /// Sorts and checks; `area` is where they come from.
    pub(crate) fn finish(self, area: Area) -> Result<Processors<'a>, Rule> {
        let Self { storage, used } = self;
        let most = u32::try_from(storage.len()).unwrap_or(u32::MAX);
        let (all, _) = storage.split_at_mut(used);
        all.sort_unstable_by_key(|processor| processor.apic_id);
        let same = all.array_windows().find(|[one, next]| one.apic_id == next.apic_id);
        if let Some([one, _]) = same {
            return Err(Rule::SameProcessor(one.apic_id));
        }
        if !all.iter().any(|processor| processor.status == ProcessorStatus::Enabled) {
            return Err(Rule::ProcessorCount { count: 0, most });
        }
        Ok(Processors { all, area })
    }
}
