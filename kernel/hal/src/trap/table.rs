//! The interrupt table.

use core::arch::asm;

use processor::InterruptTable;

use super::stubs;
use crate::take_once::TakeOnce;

/// One gate per vector, for all processors.
static TABLE: TakeOnce<InterruptTable> = TakeOnce::new(InterruptTable::empty());

/// Fills the interrupt table in and makes this processor use it.
///
/// Needs the code segment and the stacks that `segments::load` sets up.
pub(crate) fn load() {
    let Some(table) = TABLE.take() else {
        panic!("the interrupt table is loaded once, at the start");
    };
    let pointer = table.prepare(stubs::all());
    // SAFETY: INV-TABLE-1: `prepare` took the only reference to the table, so it
    // never changes again. Every gate leads to a stub, which saves all that it
    // uses before it uses it (INV-TRAP-1).
    unsafe {
        asm!("lidt [{}]", in(reg) &raw const pointer, options(readonly, nostack, preserves_flags));
    }
}
