//! The state in which a processor is to start.

use crate::processor::Processor;

/// The state in which a processor is to start: 64-bit mode, interrupts off, page
/// tables of the processor that has it started, flat segments. Descriptor tables
/// are loaded by what it runs.
pub(crate) struct ProcessorStart {
    /// Which one.
    pub(crate) processor: &'static Processor,
    /// RIP.
    pub(crate) entry: u64,
    /// RDI.
    pub(crate) entry_argument: u64,
    /// RSP: the top of an empty stack, a multiple of 16.
    pub(crate) stack_top: u64,
}
