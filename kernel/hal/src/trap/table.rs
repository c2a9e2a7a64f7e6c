//! The interrupt table.

use core::arch::asm;

use abi_x86::DescriptorTablePointer;
use processor::InterruptTable;

use super::stubs;
use crate::control_registers::take_fault_address;
use crate::sync::Once;
use crate::take_once::TakeOnce;

/// One gate per vector, for all processors.
static TABLE: TakeOnce<InterruptTable> = TakeOnce::new(InterruptTable::empty());

/// Operand of LIDT, once the table is filled in.
static POINTER: Once<DescriptorTablePointer> = Once::new();

/// Makes this processor use the interrupt table, which the first one fills in.
///
/// Needs the code segment and the stacks that `segments::load` sets up.
pub(crate) fn load() {
    if let Some(table) = TABLE.take() {
        // Nobody else has taken the table, so nobody else has filled this.
        let _ = POINTER.set(table.prepare(stubs::all()));
    }
    // From here on CR2 tells page faults from others' exceptions.
    let _ = take_fault_address();
    let Some(pointer) = POINTER.get() else {
        panic!("the first processor fills the table in before others start");
    };
    // SAFETY: INV-TABLE-1: `prepare` took the only reference to the table, so it
    // never changes again. Every gate leads to a stub, which saves all that it
    // uses before it uses it (INV-TRAP-1).
    unsafe {
        asm!("lidt [{}]", in(reg) &raw const *pointer, options(readonly, nostack, preserves_flags));
    }
}
