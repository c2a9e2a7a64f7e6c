//! Exception stacks with guards.

use core::mem::ManuallyDrop;

use processor::StackTop;

use crate::OutOfMemory;
use crate::memory::{KernelStack, StackOwner};

/// Pages of one. A report of a fault, which is the most that happens there, takes
/// less than half of that.
const PAGES: u32 = if cfg!(debug_assertions) { 2 } else { 1 };

/// Makes the exception stack of a processor, which is never freed: between
/// unmapped pages.
///
/// # Errors
///
/// [`OutOfMemory`].
pub(crate) fn make(processor: u32) -> Result<StackTop, OutOfMemory> {
    let stack = KernelStack::allocate(PAGES, StackOwner::Processor(processor))?;
    // It is the processor's for ever.
    Ok(StackTop(ManuallyDrop::new(stack).top()))
}
