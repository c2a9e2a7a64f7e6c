//! A processor's segments: descriptor table, task state; and the exception stack.

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

/// Bytes of an [`ExceptionStack`].
const EXCEPTION_STACK_SIZE: usize = 8192;

/// Exceptions that are taken on a stack of their own, because the current one may
/// be their cause or be about to change.
///
/// All of them take the same one, at its top: one that comes while another is
/// handled overwrites what that has there. So the owner of the processor must not
/// go on with what they interrupt. Handlers end in a report and a stop.
const ON_OWN_STACK: [ExceptionVector; 3] = [
    ExceptionVector::DOUBLE_FAULT,
    ExceptionVector::NON_MASKABLE_INTERRUPT,
    ExceptionVector::MACHINE_CHECK,
];

/// The stack that the gate of `vector` must ask for.
pub(crate) fn interrupt_stack_of(vector: ExceptionVector) -> InterruptStack {
    if ON_OWN_STACK.contains(&vector) { InterruptStack::One } else { InterruptStack::Current }
}

/// An exception stack, for a processor that has no other memory yet.
#[repr(C, align(16))]
pub struct ExceptionStack([u8; EXCEPTION_STACK_SIZE]);

impl ExceptionStack {
    /// All zero, so that a program that holds it carries no bytes of it.
    #[must_use]
    pub const fn zero() -> Self {
        Self([0; EXCEPTION_STACK_SIZE])
    }

    /// Gives it to a processor, which reaches it by address: its provenance is
    /// exposed.
    pub fn top(&'static mut self) -> StackTop {
        self.address()
    }

    fn address(&mut self) -> StackTop {
        StackTop((&raw mut *self).expose_provenance() as u64 + EXCEPTION_STACK_SIZE as u64)
    }
}

/// Address just above an exception stack, a multiple of 16. Nothing else uses
/// what lies below, as far down as handlers reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StackTop(pub u64);

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
    fn fill(&mut self, stack: StackTop) {
        self.task_state = TaskStateSegment::new();
        // The first is `InterruptStack::One`.
        self.task_state.interrupt_stacks[0] = stack.0;

        let task_state = (&raw mut self.task_state).expose_provenance() as u64;
        let [task_low, task_high] = TssDescriptor::new(task_state).bits();
        self.table =
            [SegmentDescriptor::NULL.bits(), CODE.bits(), DATA.bits(), task_low, task_high];
    }

    /// Fills the tables in, and gives the operand of LGDT.
    ///
    /// The reference ends here: what the processor reads and writes, nobody
    /// else may touch any more.
    pub fn prepare(&'static mut self, stack: StackTop) -> DescriptorTablePointer {
        self.fill(stack);
        table_pointer(&raw const self.table)
    }
}

#[cfg(test)]
mod tests;
