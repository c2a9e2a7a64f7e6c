//! What the kernel asks of every platform.

use core::fmt;

use abi_boot::BootBlock;
use cpuid_table::Answer;
use processor::TrapFrame;

use crate::memory::PageConversion;
use crate::stop_reason::StopReason;
use serial::Console;

/// A platform, by what this kernel needs of it.
pub(crate) trait Platform {
    /// Prepares what needs nothing but code. Called once, before the other
    /// methods.
    fn prepare(&self);

    /// Makes the memory usable that the boot block gives to the module. `tell`
    /// prints a line.
    ///
    /// # Errors
    ///
    /// Why the kernel cannot go on.
    fn start(
        &self,
        block: &BootBlock<'static>,
        tell: fn(fmt::Arguments<'_>),
    ) -> Result<(), StopReason>;

    /// How pages become shared with the host, and private again.
    fn page_conversion(&self) -> &'static dyn PageConversion;

    /// What CPUID says to this processor.
    fn cpuid(&self, leaf: u32, subleaf: u32) -> Answer;

    /// Handles an exception or interrupt that means something on this platform
    /// only.
    ///
    /// # Errors
    ///
    /// Why the kernel cannot go on: by default, because nothing handles it.
    fn handle(&self, frame: &mut TrapFrame) -> Result<(), StopReason> {
        Err(StopReason::Trap(frame.vector()))
    }

    /// Where messages go, if the platform has such a place.
    fn console(&self) -> Option<&dyn Console>;

    /// Ends the machine, telling the hypervisor `reason` if it listens.
    fn stop(&self, reason: StopReason) -> !;
}
