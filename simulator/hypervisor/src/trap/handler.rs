//! What happens on a trap.

use processor::{Report, TrapFrame};

use crate::console::print_fault;
use crate::exit::{Status, exit};
use crate::instruction::cr2_and_cr3;
use crate::io_apic;
use crate::local_apic::end_of_interrupt;

/// First vector that is no exception's.
const FIRST_INTERRUPT: u8 = 32;

/// Acknowledges an interrupt; reports an exception and ends the machine.
///
/// # Safety
///
/// `frame` points to the registers that a stub saved, which nothing else
/// touches until this returns (INV-HV-TRAP-1).
pub(super) unsafe extern "C" fn handle(frame: *const TrapFrame) {
    // SAFETY: INV-HV-TRAP-1: the stub passes a complete, aligned frame on the
    // stack of this very call.
    let frame = unsafe { &*frame };
    let vector = frame.vector().0;
    if vector >= FIRST_INTERRUPT {
        io_apic::note(vector);
        end_of_interrupt(vector);
        return;
    }
    let (cr2, cr3) = cr2_and_cr3();
    print_fault(format_args!("fault of the simulator: {}", Report { frame, cr2, cr3 }));
    exit(Status::Fault)
}
