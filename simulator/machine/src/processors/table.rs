//! The table of virtual processors.

use alloc::vec;
use alloc::vec::Vec;

use abi_snp::{SevFeatures, Vmpl};
use abi_svm::Event;

use crate::processors::context::{Activity, Context, SaveAreaPage};
use crate::processors::index::{ProcessorIndex, Target};
use crate::processors::processor::{Processor, RunState, Running};

/// All virtual processors of a guest.
///
/// The methods are spread over the files of this room by what they are about.
/// Methods that are for a level's own doing ([`Self::halt`], for instance) are
/// about the level that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Processors {
    pub(super) table: Vec<Processor>,
    pub(super) defaults: ProcessorDefaults,
    /// SEV features of all save areas of a level, once there was one.
    pub(super) features: [Option<SevFeatures>; Vmpl::ALL.len()],
    instances: u64,
}

/// What all processors have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessorDefaults {
    /// SEV features that save areas may have.
    pub supported_features: SevFeatures,
    /// What the GHCB MSR holds when a save area runs for the first time.
    pub ghcb_msr: u64,
}

/// A number of processors that is not possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} virtual processors asked for, possible are 1 to {max}", max = Processors::MAX)]
pub struct ProcessorCountError(pub u32);

impl Processors {
    /// Processors that there can be at most.
    pub const MAX: u32 = 16;

    /// `count` processors without any save areas.
    ///
    /// # Errors
    ///
    /// `count` is 0 or above [`Self::MAX`].
    pub fn new(count: u32, defaults: ProcessorDefaults) -> Result<Self, ProcessorCountError> {
        match usize::try_from(count) {
            Ok(length) if count > 0 && count <= Self::MAX => Ok(Self {
                table: vec![Processor::default(); length],
                defaults,
                features: [None; Vmpl::ALL.len()],
                instances: 0,
            }),
            _ => Err(ProcessorCountError(count)),
        }
    }

    /// The processor with this x2APIC ID, `None` if there is none.
    #[must_use]
    pub fn index(&self, apic_id: u32) -> Option<ProcessorIndex> {
        let number = u8::try_from(apic_id).ok()?;
        (usize::from(number) < self.table.len()).then(|| ProcessorIndex::new(number))
    }

    /// All processors.
    pub fn indices(&self) -> impl Iterator<Item = ProcessorIndex> + use<> {
        // `new` allows no more than `MAX` processors.
        (0..self.table.len() as u8).map(ProcessorIndex::new)
    }

    /// What the processor does.
    #[must_use]
    pub fn state(&self, processor: ProcessorIndex) -> RunState {
        self.processor(processor).state()
    }

    /// The save area that the processor has to have loaded, `None` if none.
    #[must_use]
    pub fn running(&self, processor: ProcessorIndex) -> Option<Running> {
        self.processor(processor).running()
    }

    /// The context of the level that runs, `None` if none does.
    #[must_use]
    pub fn context(&self, processor: ProcessorIndex) -> Option<&Context> {
        self.processor(processor).context()
    }

    /// The context of a level, `None` if it has no save area.
    #[must_use]
    pub fn context_at(&self, target: Target) -> Option<&Context> {
        self.processor(target.processor).level(target.vmpl).context.as_ref()
    }

    /// The running level has written `value` to its GHCB MSR. It stays there if
    /// the level is interrupted before it exits. Nothing happens if no level
    /// runs.
    pub fn set_ghcb_msr(&mut self, processor: ProcessorIndex, value: u64) {
        if let Some(context) = self.processor_mut(processor).context_mut() {
            context.ghcb_msr = value;
        }
    }

    /// Keeps an event for the level that `running` names: an exit has cut its
    /// delivery short, and then another level, or none, had the processor. It is
    /// for whoever injects events to begin it again [APM 24593 §15.20]: for a save
    /// area without alternate injection, the hypervisor. A save area that is
    /// created anew starts without.
    pub fn keep_event(&mut self, processor: ProcessorIndex, running: Running, event: Event) {
        let level = self.processor_mut(processor).level_mut(running.vmpl);
        let kept = level.context.as_mut().filter(|it| it.instance == running.instance);
        if let Some(context) = kept {
            context.due = event;
        }
    }

    /// Takes the event that is kept for the level that runs.
    pub fn take_event(&mut self, processor: ProcessorIndex) -> Option<Event> {
        let context = self.processor_mut(processor).context_mut()?;
        let event = core::mem::replace(&mut context.due, Event::NONE);
        event.is_valid().then_some(event)
    }

    /// The context of the level that runs. It is there: only who runs exits.
    pub(crate) fn exiting(&mut self, processor: ProcessorIndex) -> &mut Context {
        match self.processor_mut(processor).context_mut() {
            Some(context) => context,
            None => panic!("{processor} exits, but it has nothing to run"),
        }
    }

    /// Gives a level a new context. It becomes the current one of its processor
    /// only if the caller says so.
    pub(super) fn install(&mut self, target: Target, save_area: SaveAreaPage, activity: Activity) {
        self.instances = self.instances.wrapping_add(1);
        let context = Context::new(save_area, self.instances, activity, self.defaults.ghcb_msr);
        let level = self.processor_mut(target.processor).level_mut(target.vmpl);
        level.context = Some(context);
        level.deferred = None;
    }

    pub(super) fn processor(&self, index: ProcessorIndex) -> &Processor {
        // An index is from this table, and tables do not shrink.
        &self.table[index.position()]
    }

    pub(super) fn processor_mut(&mut self, index: ProcessorIndex) -> &mut Processor {
        &mut self.table[index.position()]
    }
}
