//! Exception stacks with guards.

use core::array;
use core::mem::ManuallyDrop;

use abi_x86::SIZE_4K;
use processor::{EXCEPTION_STACK_SIZE, EXCEPTION_STACKS, StackTops};

use crate::OutOfMemory;
use crate::memory::{KernelStack, StackOwner};

/// Pages of each.
const PAGES: u32 = (EXCEPTION_STACK_SIZE as u64 / SIZE_4K) as u32;

/// Makes the exception stacks of a processor, which are never freed: each between
/// unmapped pages.
///
/// # Errors
///
/// [`OutOfMemory`].
pub(crate) fn make(processor: u32) -> Result<StackTops, OutOfMemory> {
    let owner = StackOwner::Processor(processor);
    let mut stacks: [_; EXCEPTION_STACKS] = array::from_fn(|_| KernelStack::allocate(PAGES, owner));
    if let Some(error) = stacks.iter_mut().find_map(|stack| stack.as_ref().err().copied()) {
        return Err(error);
    }
    // They are the processor's for ever.
    Ok(StackTops(stacks.map(|stack| stack.map_or(0, |stack| ManuallyDrop::new(stack).top()))))
}
