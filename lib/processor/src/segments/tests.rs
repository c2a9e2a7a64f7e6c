//! The tables as the processor will read them.

extern crate std;

use std::boxed::Box;

use super::*;

#[test]
fn selectors_select_their_descriptors() {
    let mut segments = Box::new(Segments::zero());
    segments.fill(StackTops([16, 32, 48]));
    let entry = |selector: SegmentSelector| segments.table[usize::from(selector.0 / 8)];
    assert_eq!(entry(SegmentSelector::NULL), 0);
    assert_eq!(entry(CODE_SELECTOR), CODE.bits());
    assert_eq!(entry(DATA_SELECTOR), DATA.bits());
    let address = (&raw const segments.task_state).addr() as u64;
    assert_eq!(entry(TASK_STATE_SELECTOR), TssDescriptor::new(address).bits()[0]);
    assert_eq!(segments.table[4], address >> 32);
}

#[test]
fn gates_and_task_state_agree_on_stacks() {
    let mut stacks = Box::new(ExceptionStacks::zero());
    let mut segments = Box::new(Segments::zero());
    segments.fill(stacks.addresses());
    let tops = segments.task_state.interrupt_stacks;
    for (index, (vector, _)) in OWN_STACK.into_iter().enumerate() {
        assert_eq!(interrupt_stack_of(vector) as usize, index + 1, "{vector}");
        let stack = (&raw const stacks.0[index]).addr() as u64;
        assert_eq!(tops[index], stack + EXCEPTION_STACK_SIZE as u64);
        assert!(tops[index].is_multiple_of(16));
    }
    assert_eq!(tops[OWN_STACK.len()..], [0; 4]);
    assert_eq!(interrupt_stack_of(ExceptionVector::PAGE_FAULT), InterruptStack::Current);
}
