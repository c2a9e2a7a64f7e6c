//! What the kernel asks of every platform.

use core::fmt;

use abi_boot::BootBlock;
use alloc::vec::Vec;
use cpuid_table::Answer;
use processor::TrapFrame;

use crate::memory::PageConversion;
use crate::processor::Processor;
use crate::processor_start::ProcessorStart;
use crate::start_error::StartError;
use crate::stop_reason::StopReason;
use serial::Console;

/// What interrupted code had done about interrupts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interrupts {
    /// They could come.
    Unmasked,
    /// They were masked.
    Masked,
}

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
    /// only. `were` is what the interrupted code had done about interrupts.
    ///
    /// # Errors
    ///
    /// Why the kernel cannot go on: by default, because nothing handles it.
    fn handle(&self, frame: &mut TrapFrame, were: Interrupts) -> Result<(), StopReason> {
        let _ = were;
        Err(StopReason::Trap(frame.vector()))
    }

    /// Whether the host can make the processor take exceptions that nothing has
    /// raised; by default not.
    fn may_inject_exceptions(&self) -> bool {
        false
    }

    /// Identifiers of all processors that the host says there are, each once.
    /// `None` if the platform itself has no such list on this machine.
    ///
    /// # Errors
    ///
    /// The list cannot be used, or there is no memory for it.
    fn processor_identifiers(&self) -> Result<Option<Vec<u32>>, StartError>;

    /// Gives a processor what it needs on this platform, before it starts.
    ///
    /// # Errors
    ///
    /// There is no memory for it, or the host does not do its part.
    fn prepare_processor(&self, processor: &Processor) -> Result<(), StartError>;

    /// Starts processors, without waiting until they are set up. Gives the number
    /// of those that start, which are the first of `starts`: the others are left
    /// out and never come.
    ///
    /// # Errors
    ///
    /// There is no way to, or the host does not do its part.
    fn start_processors(&self, starts: &[ProcessorStart]) -> Result<usize, StartError>;

    /// Sets up what the processor that runs this has on this platform.
    ///
    /// # Errors
    ///
    /// The host does not do its part.
    fn enter_processor(&self) -> Result<(), StopReason>;

    /// Makes another processor look at its requests as soon as it can. Where
    /// nothing interrupts a processor, it looks by itself.
    fn kick(&self, other: &Processor);

    /// Waits until there can be something new to do: requests, or an interrupt.
    /// Called with interrupts masked; they are again when it returns.
    fn wait(&self);

    /// Has the timer come once after so many nanoseconds, or not at all.
    fn set_timer(&self, after_ns: Option<u64>);

    /// Whether there is a timer.
    fn has_timer(&self) -> bool;

    /// Whether interrupts can come.
    fn has_interrupts(&self) -> bool;

    /// Where messages go, if the platform has such a place.
    fn console(&self) -> Option<&dyn Console>;

    /// Sets a mark for whoever measures from outside; by default nobody does.
    fn mark(&self, number: u8) {
        let _ = number;
    }

    /// Ends the machine, telling the hypervisor `reason` if it listens.
    fn stop(&self, reason: StopReason) -> !;
}
