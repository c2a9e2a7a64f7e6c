//! The tables as the processor will read them.

extern crate std;

use std::boxed::Box;

use super::*;

#[test]
fn selectors_select_their_descriptors() {
    let mut segments = Box::new(Segments::zero());
    segments.fill(StackTop(16));
    let entry = |selector: SegmentSelector| segments.table[usize::from(selector.0 / 8)];
    assert_eq!(entry(SegmentSelector::NULL), 0);
    assert_eq!(entry(CODE_SELECTOR), CODE.bits());
    assert_eq!(entry(DATA_SELECTOR), DATA.bits());
    let address = (&raw const segments.task_state).addr() as u64;
    assert_eq!(entry(TASK_STATE_SELECTOR), TssDescriptor::new(address).bits()[0]);
    assert_eq!(segments.table[4], address >> 32);
}

#[test]
fn gates_and_task_state_agree_on_the_stack() {
    let mut stack = Box::new(ExceptionStack::zero());
    let mut segments = Box::new(Segments::zero());
    segments.fill(stack.address());
    let [top, others @ ..] = segments.task_state.interrupt_stacks;
    assert_eq!(top, (&raw const *stack).addr() as u64 + EXCEPTION_STACK_SIZE as u64);
    assert!(top.is_multiple_of(16));
    assert_eq!(others, [0; 6]);
    for vector in 0..=u8::MAX {
        let expected = match vector {
            2 | 8 | 18 => InterruptStack::One,
            _ => InterruptStack::Current,
        };
        assert_eq!(interrupt_stack_of(ExceptionVector(vector)), expected, "{vector}");
    }
}
