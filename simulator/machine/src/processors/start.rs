//! HLT, INIT and start-up interrupts: when a processor stops and goes on.

use abi_snp::Vmpl;
use abi_snp::ghcb::ResetHoldEnd;

use crate::processors::context::{Activity, Channel, Completion};
use crate::processors::index::{ProcessorIndex, Target};
use crate::processors::table::Processors;

/// What a start-up interrupt does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartUp {
    /// Nothing: the processor does not wait for one.
    Ignored,
    /// The processor executes now. This answer is due to it first, unless it
    /// has not run before.
    Starts(Option<Completion>),
}

impl Processors {
    /// The processor has executed HLT. Nothing happens if it does not execute.
    pub fn halt(&mut self, processor: ProcessorIndex) {
        self.replace_activity(processor, Activity::Runs, Activity::Halted);
    }

    /// An interrupt ends HLT. Nothing happens if the processor is not halted.
    pub fn wake(&mut self, processor: ProcessorIndex) {
        self.replace_activity(processor, Activity::Halted, Activity::Runs);
    }

    /// The running level asks by `channel` to wait for a start-up interrupt.
    pub fn hold(&mut self, processor: ProcessorIndex, channel: Channel) {
        self.replace_activity(processor, Activity::Runs, Activity::AwaitsStart(Some(channel)));
    }

    /// INIT arrives. If a save area was created for this, the processor waits
    /// at its first instruction for a start-up interrupt, as in Linux/KVM; if
    /// there is one for several levels, at that of the most privileged of them,
    /// which is from memory. What it had loaded it has to leave then: see
    /// [`Self::running`].
    ///
    /// Otherwise nothing happens: a hypervisor cannot reset an SNP guest's
    /// registers, and the processors that wait for their start need nothing.
    pub fn init(&mut self, processor: ProcessorIndex) {
        for vmpl in Vmpl::ALL {
            if let Some(save_area) = self.processor(processor).level(vmpl).deferred {
                let activity = Activity::AwaitsStart(None);
                self.install(Target { processor, vmpl }, save_area, activity);
                self.processor_mut(processor).current = Some(vmpl);
                return;
            }
        }
    }

    /// A start-up interrupt (SIPI) arrives. Its vector does not count: a
    /// processor begins where its save area or its AP Reset Hold is.
    pub fn start_up(&mut self, processor: ProcessorIndex) -> StartUp {
        match self.processor_mut(processor).context_mut() {
            Some(context) if matches!(context.activity, Activity::AwaitsStart(_)) => {
                StartUp::Starts(context.resume(ResetHoldEnd::StartUp))
            }
            _ => StartUp::Ignored,
        }
    }

    fn replace_activity(&mut self, processor: ProcessorIndex, from: Activity, to: Activity) {
        if let Some(context) = self.processor_mut(processor).context_mut()
            && context.activity == from
        {
            context.activity = to;
        }
    }
}

#[cfg(test)]
mod tests;
