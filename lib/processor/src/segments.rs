//! A processor's segments: descriptor table, task state; and exception stacks.

use abi_x86::{
    DescriptorTablePointer, ExceptionVector, InterruptStack, SegmentAttributes, SegmentDescriptor,
    SegmentSelector, TaskStateSegment, TssDescriptor,
};

use crate::table_pointer::table_pointer;

/// 64-bit code at privilege level 0.
pub const CODE: SegmentDescriptor = SegmentDescriptor::flat(SegmentAttributes::CODE_64);
/// Data at privilege level 0.
pub const DATA: SegmentDescriptor = SegmentDescriptor::flat(SegmentAttributes::DATA);

/// Selects [`CODE`], the entry after the null descriptor.
pub const CODE_SELECTOR: SegmentSelector = SegmentSelector(1 << 3);
/// Selects [`DATA`].
pub const DATA_SELECTOR: SegmentSelector = SegmentSelector(2 << 3);
/// Selects the task state, the operand of LTR.
pub const TASK_STATE_SELECTOR: SegmentSelector = SegmentSelector(3 << 3);

/// Bytes of an exception stack, at least.
pub const EXCEPTION_STACK_SIZE: usize = 8192;

/// Number of a processor's exception stacks.
pub const EXCEPTION_STACKS: usize = OWN_STACK.len();

/// Exceptions that get a stack of their own, because the current one may be
/// their cause or be about to change.
const OWN_STACK: [(ExceptionVector, InterruptStack); 3] = [
    (ExceptionVector::DOUBLE_FAULT, InterruptStack::One),
    (ExceptionVector::NON_MASKABLE_INTERRUPT, InterruptStack::Two),
    (ExceptionVector::MACHINE_CHECK, InterruptStack::Three),
];

/// The stack that the gate of `vector` must ask for.
pub(crate) fn interrupt_stack_of(vector: ExceptionVector) -> InterruptStack {
    OWN_STACK
        .iter()
        .find(|(owner, _)| *owner == vector)
        .map_or(InterruptStack::Current, |(_, stack)| *stack)
}

#[repr(C, align(16))]
struct Stack([u8; EXCEPTION_STACK_SIZE]);

/// Exception stacks side by side: one that overflows runs into the next.
pub struct ExceptionStacks([Stack; EXCEPTION_STACKS]);

impl ExceptionStacks {
    /// All zero, so that a program that holds them carries no bytes of them.
    #[must_use]
    pub const fn zero() -> Self {
        Self([const { Stack([0; EXCEPTION_STACK_SIZE]) }; EXCEPTION_STACKS])
    }

    /// Gives them to a processor, which reaches them by address: their
    /// provenance is exposed.
    pub fn tops(&'static mut self) -> StackTops {
        self.addresses()
    }

    fn addresses(&mut self) -> StackTops {
        let top = |stack: &mut Stack| {
            (&raw mut *stack).expose_provenance() as u64 + EXCEPTION_STACK_SIZE as u64
        };
        StackTops(self.0.each_mut().map(top))
    }
}

/// Addresses just above exception stacks, multiples of 16. Nothing else uses the
/// [`EXCEPTION_STACK_SIZE`] bytes below each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StackTops(pub [u64; EXCEPTION_STACKS]);

/// What one processor needs to run kernel code and take exceptions, besides
/// stacks.
pub struct Segments {
    /// Null, code, data, and the two halves of the task state's descriptor.
    table: [u64; 5],
    task_state: TaskStateSegment,
}

impl Segments {
    /// All zero, so that a program that holds it carries no bytes of it.
    #[must_use]
    pub const fn zero() -> Self {
        let mut task_state = TaskStateSegment::new();
        task_state.io_map_base = 0;
        Self { table: [0; 5], task_state }
    }

    /// Fills the tables in. The processor reaches the task state by its address,
    /// so its provenance is exposed.
    fn fill(&mut self, stacks: StackTops) {
        // In the order of `InterruptStack`, from `One` on.
        let mut tops = [0; 7];
        tops[..EXCEPTION_STACKS].copy_from_slice(&stacks.0);
        self.task_state = TaskStateSegment::new();
        self.task_state.interrupt_stacks = tops;

        let task_state = (&raw mut self.task_state).expose_provenance() as u64;
        let [task_low, task_high] = TssDescriptor::new(task_state).bits();
        self.table =
            [SegmentDescriptor::NULL.bits(), CODE.bits(), DATA.bits(), task_low, task_high];
    }

    /// Fills the tables in, and gives the operand of LGDT.
    ///
    /// The reference ends here: what the processor reads and writes, nobody
    /// else may touch any more.
    pub fn prepare(&'static mut self, stacks: StackTops) -> DescriptorTablePointer {
        self.fill(stacks);
        table_pointer(&raw const self.table)
    }
}

#[cfg(test)]
mod tests;
