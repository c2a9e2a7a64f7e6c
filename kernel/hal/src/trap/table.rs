//! The interrupt table.

use core::arch::asm;

use abi_x86::{ExceptionVector, GateDescriptor};

use super::stubs;
use crate::segments::{CODE_SELECTOR, interrupt_stack_of};
use crate::table_pointer::table_pointer;
use crate::take_once::TakeOnce;

/// One gate per vector, for all processors.
static TABLE: TakeOnce<[GateDescriptor; 256]> = TakeOnce::new([GateDescriptor::MISSING; 256]);

/// Fills the interrupt table in and makes this processor use it.
///
/// Needs the code segment and the stacks that `Segments::load` sets up.
pub(crate) fn load() {
    let Some(table) = TABLE.take() else {
        panic!("the interrupt table is loaded once, at the start");
    };
    for (vector, gate) in (0..=u8::MAX).zip(table.iter_mut()) {
        let stub = stubs::first() + u64::from(vector) * stubs::STRIDE;
        let stack = interrupt_stack_of(ExceptionVector(vector));
        *gate = GateDescriptor::interrupt(stub, CODE_SELECTOR, stack);
    }
    let pointer = table_pointer(table);
    // SAFETY: INV-TABLE-1: the exclusive reference to the table ends here, so it
    // never changes again. Every gate leads to a stub, which saves all that it
    // uses before it uses it (INV-TRAP-1).
    unsafe {
        asm!("lidt [{}]", in(reg) &raw const pointer, options(readonly, nostack, preserves_flags));
    }
}
