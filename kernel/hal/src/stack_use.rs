//! How much of its stacks a processor has ever used.
//!
//! A stack is zeros when it is made. What lies below the lowest word that is
//! something else has not been used, but for zeros.

use backtrace::StackWords;

use crate::kernel_memory::KernelMemory;
use crate::memory::{StackOwner, stacks};
use crate::processor::ProcessorIndex;

/// A stack, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StackUse {
    /// How large it is.
    pub size: u64,
    /// How much of it was used at most, since it was made.
    pub used: u64,
}

/// The stacks of a processor: for exceptions, and where it starts and rests.
///
/// What the processor does meanwhile may count or not.
pub fn of_processor(index: ProcessorIndex) -> impl Iterator<Item = StackUse> {
    let owner = StackOwner::Processor(index.number());
    stacks().filter(move |(other, _)| *other == owner).map(|(_, range)| {
        let is_used = |address: &u64| KernelMemory.word(*address).is_some_and(|word| word != 0);
        let lowest = range.clone().step_by(size_of::<u64>()).find(is_used);
        StackUse { size: range.end - range.start, used: range.end - lowest.unwrap_or(range.end) }
    })
}
