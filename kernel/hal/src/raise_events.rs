//! #HV by an instruction.

use core::arch::asm;

use abi_x86::ExceptionVector;

/// Has the handler of #HV look for events, as if the host had rung.
pub(crate) fn raise_events() {
    // SAFETY: INV-TRAP-1: the handler changes nothing that this code could
    // notice.
    unsafe { asm!("int {}", const ExceptionVector::HYPERVISOR_INJECTION.0, options(nostack)) };
}
