//! Interrupts that the guest sends or has done with.

use crate::processors::ProcessorIndex;

/// The value is no command that an interrupt controller takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("interrupt command {0:#x} is not possible")]
pub struct InvalidCommand(pub u64);

/// The interrupt controllers.
pub trait InterruptControl {
    /// Does what a write of `command` to the x2APIC interrupt command register
    /// of `processor` would.
    ///
    /// # Errors
    ///
    /// The command is not possible.
    fn send_interrupt(
        &mut self,
        processor: ProcessorIndex,
        command: u64,
    ) -> Result<(), InvalidCommand>;

    /// The guest has handled an NMI on `processor`; the next one may come.
    fn nmi_completed(&mut self, processor: ProcessorIndex);
}
