//! A processor's segments: descriptor table, task state, exception stacks.

use abi_x86::{
    ExceptionVector, InterruptStack, SegmentAttributes, SegmentDescriptor, SegmentSelector,
    TaskStateSegment, TssDescriptor,
};

use crate::take_once::TakeOnce;

/// 64-bit code at privilege level 0.
pub(crate) const CODE: SegmentDescriptor = SegmentDescriptor::flat(SegmentAttributes::CODE_64);
/// Data at privilege level 0.
pub(crate) const DATA: SegmentDescriptor = SegmentDescriptor::flat(SegmentAttributes::DATA);

/// Selects [`CODE`], the entry after the null descriptor.
pub(crate) const CODE_SELECTOR: SegmentSelector = SegmentSelector(1 << 3);
/// Selects [`DATA`].
pub(crate) const DATA_SELECTOR: SegmentSelector = SegmentSelector(2 << 3);
/// Selects the task state.
const TASK_STATE_SELECTOR: SegmentSelector = SegmentSelector(3 << 3);

/// Bytes of an exception stack.
const STACK_SIZE: usize = 8192;

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
struct Stack([u8; STACK_SIZE]);

/// What one processor needs to run kernel code and take exceptions.
pub(crate) struct Segments {
    /// Null, code, data, and the two halves of the task state's descriptor.
    table: [u64; 5],
    task_state: TaskStateSegment,
    /// In the order of [`InterruptStack`], from `One` on.
    stacks: [Stack; OWN_STACK.len()],
}

/// The segments of the processor that the machine starts on.
pub(crate) static BOOT_PROCESSOR: TakeOnce<Segments> = TakeOnce::new(Segments::zero());

impl Segments {
    /// All zero, so that the image carries no bytes of it.
    const fn zero() -> Self {
        let mut task_state = TaskStateSegment::new();
        task_state.io_map_base = 0;
        Self {
            table: [0; 5],
            task_state,
            stacks: [const { Stack([0; STACK_SIZE]) }; OWN_STACK.len()],
        }
    }

    /// Fills the tables in. The processor reaches task state and stacks by the
    /// addresses in them, so their provenance is exposed.
    fn fill(&mut self) {
        let mut tops = [0; 7];
        for (top, stack) in tops.iter_mut().zip(&mut self.stacks) {
            *top = (&raw mut *stack).expose_provenance() as u64 + STACK_SIZE as u64;
        }
        self.task_state = TaskStateSegment::new();
        self.task_state.interrupt_stacks = tops;

        let task_state = (&raw mut self.task_state).expose_provenance() as u64;
        let [task_low, task_high] = TssDescriptor::new(task_state).bits();
        self.table =
            [SegmentDescriptor::NULL.bits(), CODE.bits(), DATA.bits(), task_low, task_high];
    }

    /// Fills the tables in and makes this processor use them.
    #[cfg(target_os = "none")]
    pub(crate) fn load(&'static mut self) {
        use core::arch::asm;

        use crate::table_pointer::table_pointer;

        self.fill();
        let pointer = table_pointer(&raw mut self.table);
        // SAFETY: INV-TABLE-1: `self` is exclusive and ends here, so from now
        // on the processor alone uses the tables and stacks. The new code and
        // data segments are flat like those that `abi/boot` promises, so no
        // address changes its meaning. The far return goes to label 2.
        unsafe {
            asm!(
                "lgdt [{pointer}]",
                "push {code}",
                "lea {scratch}, [rip + 2f]",
                "push {scratch}",
                "retfq",
                "2:",
                "mov ds, {data:x}",
                "mov es, {data:x}",
                "mov ss, {data:x}",
                "mov fs, {null:x}",
                "mov gs, {null:x}",
                "ltr {task_state:x}",
                pointer = in(reg) &raw const pointer,
                code = const CODE_SELECTOR.0,
                scratch = out(reg) _,
                data = in(reg) DATA_SELECTOR.0,
                null = in(reg) SegmentSelector::NULL.0,
                task_state = in(reg) TASK_STATE_SELECTOR.0,
            );
        }
    }
}

#[cfg(test)]
mod tests;
