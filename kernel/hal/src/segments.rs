//! A processor's segments: descriptor table, task state, exception stacks.

use core::arch::asm;

use abi_x86::{Msr, SegmentSelector};
use processor::{
    CODE_SELECTOR, DATA_SELECTOR, ExceptionStack, Segments, StackTop, TASK_STATE_SELECTOR,
};

use crate::processor::Processor;
use crate::take_once::TakeOnce;

/// What the processor that the machine starts on has until there is memory. Its
/// exception stack has no guards.
pub(crate) static BOOT_PROCESSOR: TakeOnce<(Segments, ExceptionStack)> =
    TakeOnce::new((Segments::zero(), ExceptionStack::zero()));

/// Fills the tables in and makes this processor use them; from then on it is
/// `own`. Nobody else uses the stack.
pub(crate) fn load(segments: &'static mut Segments, stack: StackTop, own: &'static Processor) {
    let gs_base = own.prepare();
    let pointer = segments.prepare(stack);
    // SAFETY: INV-TABLE-1: `prepare` took the only reference, so from now on the
    // processor alone uses the tables and the stack. The new code and data segments
    // are flat like those that `abi/boot` promises, so no address changes its
    // meaning. The far return goes to label 2. INV-PROCESSOR-1: the base of GS is
    // set after the selector, which would clear it.
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
            "wrmsr",
            pointer = in(reg) &raw const pointer,
            code = const CODE_SELECTOR.0,
            scratch = out(reg) _,
            data = in(reg) DATA_SELECTOR.0,
            null = in(reg) SegmentSelector::NULL.0,
            task_state = in(reg) TASK_STATE_SELECTOR.0,
            in("ecx") Msr::GS_BASE.0,
            in("eax") gs_base as u32,
            in("edx") (gs_base >> 32) as u32,
        );
    }
}
