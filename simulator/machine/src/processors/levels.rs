//! From one level of a processor to another: *Run VMPL*.
//!
//! [GHCB 56421 2.04 §2.3.1 and §4.1, "SNP Run VMPL"]. A level asks for another
//! one and waits; its own request is answered when some level asks for it in
//! turn. So the answer to a guest that calls its SVSM is the SVSM's request to
//! run the guest.

use abi_snp::Vmpl;
use abi_snp::ghcb::ResetHoldEnd;

use crate::processors::context::{Activity, Channel, Completion};
use crate::processors::index::{ProcessorIndex, Target};
use crate::processors::table::Processors;

/// The level has no save area that could run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} of this processor has no save area; AP Creation would give it one")]
pub struct NoSaveArea(pub Vmpl);

impl Processors {
    /// The running level of `processor` asks by `channel` that `vmpl` runs.
    /// Returns the answer that is due to `vmpl`, which runs now.
    ///
    /// A save area that was created for the next INIT becomes the level's: that
    /// is how an SVSM registers its guest's and runs it later. A level that
    /// asks for itself goes on at once, with its own request answered.
    ///
    /// # Errors
    ///
    /// The level has no save area; nothing has changed then.
    pub fn run_level(
        &mut self,
        processor: ProcessorIndex,
        vmpl: Vmpl,
        channel: Channel,
    ) -> Result<Option<Completion>, NoSaveArea> {
        let state = self.processor(processor);
        if state.current == Some(vmpl) {
            return Ok(Some(Completion::RunVmpl { channel }));
        }
        let level = *state.level(vmpl);
        if let Some(save_area) = level.deferred {
            self.install(Target { processor, vmpl }, save_area, Activity::Runs);
        } else if level.context.is_none() {
            return Err(NoSaveArea(vmpl));
        }
        self.exiting(processor).activity = Activity::RanOther(channel);
        self.processor_mut(processor).current = Some(vmpl);
        Ok(self.exiting(processor).resume(ResetHoldEnd::Other))
    }
}

#[cfg(test)]
mod tests;
