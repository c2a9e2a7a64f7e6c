//! Exceptions and interrupts of the hypervisor itself.
//!
//! `stubs.rs` holds one entry per vector, which all save the registers as a
//! [`processor::TrapFrame`] and go on in `handler.rs`. An exception is a fault
//! of this program: it is reported and ends the machine. An interrupt is
//! acknowledged, and the interrupted code goes on.

mod handler;
mod stubs;

use core::arch::asm;

use processor::InterruptTable;

/// Fills the interrupt table in and makes this processor use it.
///
/// Needs the code segment and the stacks that `segments::load` sets up.
pub(crate) fn load(table: &'static mut InterruptTable) {
    let pointer = table.prepare(stubs::all());
    // SAFETY: INV-HV-TABLE-1: `prepare` took the only reference to the table, so
    // it never changes again. Every gate leads to a stub, which saves all that
    // it uses before it uses it (INV-HV-TRAP-1).
    unsafe {
        asm!("lidt [{}]", in(reg) &raw const pointer, options(readonly, nostack, preserves_flags));
    }
}
