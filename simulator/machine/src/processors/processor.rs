//! One virtual processor: its levels, and which of them runs.

use abi_snp::Vmpl;

use crate::processors::context::{Activity, Context, SaveAreaPage};

/// The save area that a processor has loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Running {
    /// Its level.
    pub vmpl: Vmpl,
    /// The save area.
    pub save_area: SaveAreaPage,
    /// [`Context::instance`]: unless level and instance are those of the last
    /// time, the save area has to be loaded.
    pub instance: u64,
}

/// What a processor does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunState {
    /// Nothing: there is no save area that it should run.
    NotCreated,
    /// It executes.
    Runnable(Running),
    /// It waits for an interrupt.
    Halted(Running),
    /// It waits for a start-up interrupt.
    WaitsForStartup(Running),
}

/// A level of a processor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Level {
    /// What the level has, if it has a save area.
    pub(super) context: Option<Context>,
    /// The save area that the level gets at the next INIT or Run VMPL.
    pub(super) deferred: Option<SaveAreaPage>,
}

/// A processor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Processor {
    levels: [Level; Vmpl::ALL.len()],
    /// The level that runs. Invariant: it has a context, and its activity is
    /// not `RanOther`.
    pub(super) current: Option<Vmpl>,
}

impl Processor {
    pub(super) fn level(&self, vmpl: Vmpl) -> &Level {
        // There is a level for each number that a `Vmpl` can have.
        &self.levels[usize::from(vmpl.number())]
    }

    pub(super) fn level_mut(&mut self, vmpl: Vmpl) -> &mut Level {
        &mut self.levels[usize::from(vmpl.number())]
    }

    pub(super) fn context(&self) -> Option<&Context> {
        self.level(self.current?).context.as_ref()
    }

    pub(super) fn context_mut(&mut self) -> Option<&mut Context> {
        self.level_mut(self.current?).context.as_mut()
    }

    pub(super) fn running(&self) -> Option<Running> {
        let Context { save_area, instance, .. } = *self.context()?;
        Some(Running { vmpl: self.current?, save_area, instance })
    }

    pub(super) fn state(&self) -> RunState {
        let (Some(context), Some(running)) = (self.context(), self.running()) else {
            return RunState::NotCreated;
        };
        match context.activity {
            Activity::Runs => RunState::Runnable(running),
            Activity::Halted => RunState::Halted(running),
            Activity::AwaitsStart(_) => RunState::WaitsForStartup(running),
            Activity::RanOther(_) => {
                unreachable!("a level that let another one run is not current")
            }
        }
    }
}
