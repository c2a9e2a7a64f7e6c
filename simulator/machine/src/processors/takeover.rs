//! What a host does with processors though nobody has asked: it can run any
//! save area at any time. Whether the processor enters it, the reverse map
//! decides ([`enter_save_area`](crate::reverse_map::ReverseMap::enter_save_area)).

use abi_snp::Vmpl;

use crate::processors::context::{Activity, SaveAreaPage};
use crate::processors::index::{ProcessorIndex, Target};
use crate::processors::levels::NoSaveArea;
use crate::processors::table::Processors;

impl Processors {
    /// Lets the target's processor run `save_area` as the target's level from
    /// now on. The level's own save area is forgotten.
    pub fn take_over(&mut self, target: Target, save_area: SaveAreaPage) {
        self.install(target, save_area, Activity::Runs);
        self.processor_mut(target.processor).current = Some(target.vmpl);
    }

    /// Lets `processor` run `vmpl` from now on, though the level that runs has
    /// not asked for it. If `vmpl` waits for something, it goes on without an
    /// answer.
    ///
    /// # Errors
    ///
    /// The level has no save area; nothing has changed then.
    pub fn divert(&mut self, processor: ProcessorIndex, vmpl: Vmpl) -> Result<(), NoSaveArea> {
        let state = self.processor_mut(processor);
        let context = state.level_mut(vmpl).context.as_mut().ok_or(NoSaveArea(vmpl))?;
        context.activity = Activity::Runs;
        state.current = Some(vmpl);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use abi_snp::SevFeatures;

    use super::*;
    use crate::gpa::Gpa;
    use crate::processors::context::Channel;
    use crate::processors::creation::LaunchState;
    use crate::processors::processor::RunState;
    use crate::processors::table::ProcessorDefaults;

    fn save_area(gpa: u64) -> SaveAreaPage {
        SaveAreaPage { gpa: Gpa(gpa), features: SevFeatures::SNP_ACTIVE }
    }

    /// One processor with VMPL0, which runs.
    fn processors() -> (Processors, ProcessorIndex) {
        let defaults =
            ProcessorDefaults { supported_features: SevFeatures::SNP_ACTIVE, ghcb_msr: 0 };
        let mut processors = Processors::new(1, defaults).unwrap();
        let target = Target { processor: ProcessorIndex::BOOT, vmpl: Vmpl::Vmpl0 };
        processors.launch(target, save_area(0x1000), LaunchState::Runs).unwrap();
        (processors, ProcessorIndex::BOOT)
    }

    #[test]
    fn any_page_can_be_run_as_a_save_area() {
        let (mut processors, processor) = processors();
        // AP Creation would refuse the address, and that a level replaces itself.
        processors.take_over(Target { processor, vmpl: Vmpl::Vmpl0 }, save_area(0x20_0001));
        let running = processors.running(processor).unwrap();
        assert_eq!(running.save_area, save_area(0x20_0001));
        assert!(matches!(processors.state(processor), RunState::Runnable(_)));
    }

    #[test]
    fn a_level_that_waits_goes_on_without_an_answer() {
        let (mut processors, processor) = processors();
        let lower = Target { processor, vmpl: Vmpl::Vmpl2 };
        processors.create_on_init(processor, lower, save_area(0x3000)).unwrap();
        processors.run_level(processor, Vmpl::Vmpl2, Channel::Msr).unwrap();
        processors.divert(processor, Vmpl::Vmpl0).unwrap();
        assert_eq!(processors.running(processor).unwrap().vmpl, Vmpl::Vmpl0);
        assert_eq!(processors.context(processor).unwrap().activity, Activity::Runs);
        // The one that was interrupted is not owed anything either.
        assert_eq!(processors.run_level(processor, Vmpl::Vmpl2, Channel::Msr), Ok(None));
        processors.halt(processor);
        processors.divert(processor, Vmpl::Vmpl2).unwrap();
        assert!(matches!(processors.state(processor), RunState::Runnable(_)));
    }

    #[test]
    fn a_level_without_save_area_does_not_run() {
        let (mut processors, processor) = processors();
        let before = processors.clone();
        assert_eq!(processors.divert(processor, Vmpl::Vmpl1), Err(NoSaveArea(Vmpl::Vmpl1)));
        assert_eq!(processors, before);
    }
}
