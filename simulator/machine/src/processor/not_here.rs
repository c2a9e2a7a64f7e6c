//! Why the model leaves the delivery of an exception to the processor.

use crate::processor::linear_memory::NotReached;

/// The exception is not delivered here, and nothing has changed: the processor
/// has to do it, with whatever exception or exit that leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotHere {
    /// Other modes have other frames.
    #[error("the guest is not in long mode")]
    NotLongMode,
    /// Shadow stacks are switched too, which is not modelled.
    #[error("the guest has shadow stacks enabled")]
    ShadowStacks,
    /// The interrupt descriptor table has no entry for the vector.
    #[error("the gate lies beyond the interrupt descriptor table's limit")]
    GateBeyondTable,
    /// The entry is no 64-bit interrupt or trap gate that is present.
    #[error("the gate is none, or is not present")]
    Gate,
    /// The gate leads to an address that is not canonical.
    #[error("the handler's address {0:#x} is not canonical")]
    Handler(u64),
    /// The gate's code segment is null, in a local table, or beyond the global
    /// one's limit.
    #[error("the gate's code selector {0:#x} cannot be used")]
    CodeSelector(u16),
    /// The gate's code segment is none, not for 64-bit mode, less privileged
    /// than the guest is, not present, or not marked as accessed, which the
    /// processor would change.
    #[error("the gate's code segment {0:#x} cannot be used")]
    CodeSegment(u64),
    /// There is no 64-bit task-state segment, or it is too small for the stack.
    #[error("the task-state segment has no stack for the gate")]
    TaskState,
    /// The frame would lie at addresses that are not canonical.
    #[error("the stack pointer {0:#x} leaves no room for a frame")]
    Stack(u64),
    /// A table or the stack cannot be reached.
    #[error(transparent)]
    Memory(#[from] NotReached),
}
