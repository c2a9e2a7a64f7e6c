//! Segments of a processor: descriptor table, task state, stacks.

use abi_x86::{
    DescriptorTablePointer, SegmentAttributes, SegmentDescriptor, SegmentSelector,
    TaskStateSegment, TssDescriptor,
};

/// Code at privilege level 0.
pub(super) const CODE_SELECTOR: SegmentSelector = SegmentSelector(1 << 3);
/// Data at privilege level 0.
pub(super) const DATA_SELECTOR: SegmentSelector = SegmentSelector(2 << 3);
/// Data at privilege level 3.
pub(super) const USER_DATA_SELECTOR: SegmentSelector = SegmentSelector(3 << 3 | 3);
/// Code at privilege level 3.
pub(super) const USER_CODE_SELECTOR: SegmentSelector = SegmentSelector(4 << 3 | 3);
/// The task state.
pub(super) const TASK_STATE_SELECTOR: SegmentSelector = SegmentSelector(5 << 3);

/// Bytes of a stack.
const STACK_SIZE: usize = 8192;

#[repr(C, align(16))]
struct Stack([u8; STACK_SIZE]);

/// What one context needs to run and to take exceptions.
pub(super) struct Segments {
    /// Null, code, data, user data, user code, and the two halves of the task
    /// state's descriptor.
    table: [u64; 7],
    task_state: TaskStateSegment,
    /// For exceptions from user mode, for those by the first entry of the
    /// interrupt stack table, and for the context's own code.
    stacks: [Stack; 3],
}

/// Where the stacks of a context end: the first byte above each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stacks {
    /// The stack for exceptions from user mode.
    pub(crate) from_user: u64,
    /// The first stack of the interrupt stack table.
    pub(crate) interrupt: u64,
    /// The stack of its own code.
    pub(crate) own: u64,
}

impl Segments {
    pub(super) const fn empty() -> Self {
        let mut task_state = TaskStateSegment::new();
        // All zero, so that the file carries no bytes of it.
        task_state.io_map_base = 0;
        Self { table: [0; 7], task_state, stacks: [const { Stack([0; STACK_SIZE]) }; 3] }
    }

    /// Where the stacks are.
    pub(super) fn stacks(&self) -> Stacks {
        let [from_user, interrupt, own] =
            [0, 1, 2].map(|i| (&raw const self.stacks[i]).addr() as u64 + STACK_SIZE as u64);
        Stacks { from_user, interrupt, own }
    }

    /// Fills the tables in and gives the operand of LGDT. The processor reads
    /// and writes them from then on.
    pub(super) fn prepare(&mut self) -> DescriptorTablePointer {
        let Stacks { from_user, interrupt, .. } = self.stacks();
        self.task_state = TaskStateSegment::new();
        self.task_state.privilege_stacks = [from_user, 0, 0];
        self.task_state.interrupt_stacks = [interrupt, 0, 0, 0, 0, 0, 0];
        let [task_low, task_high] =
            TssDescriptor::new((&raw mut self.task_state).expose_provenance() as u64).bits();
        let flat = |attributes| SegmentDescriptor::flat(attributes).bits();
        self.table = [
            SegmentDescriptor::NULL.bits(),
            flat(SegmentAttributes::CODE_64),
            flat(SegmentAttributes::DATA),
            flat(SegmentAttributes::DATA | SegmentAttributes::USER),
            flat(SegmentAttributes::CODE_64 | SegmentAttributes::USER),
            task_low,
            task_high,
        ];
        for stack in &mut self.stacks {
            (&raw mut *stack).expose_provenance();
        }
        DescriptorTablePointer {
            limit: size_of_val(&self.table) as u16 - 1,
            base: (&raw mut self.table).expose_provenance() as u64,
        }
    }

    /// Where the task state is.
    pub(super) fn task_state(&self) -> u64 {
        (&raw const self.task_state).addr() as u64
    }
}
