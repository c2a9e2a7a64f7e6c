//! Loads a processor's descriptor table, task state and segments.

use core::arch::asm;

use abi_x86::SegmentSelector;
use processor::{CODE_SELECTOR, DATA_SELECTOR, Segments, StackTop, TASK_STATE_SELECTOR};

/// Fills the tables in and makes this processor use them.
pub(crate) fn load(segments: &'static mut Segments, stack: StackTop) {
    let pointer = segments.prepare(stack);
    // SAFETY: INV-HV-TABLE-1: `prepare` took the only reference, so from now on
    // the processor alone uses the tables and the stack. The new segments are flat
    // like those of the entry code, so no address changes its meaning. The far
    // return goes to label 2.
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
