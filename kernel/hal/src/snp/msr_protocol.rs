//! Requests by the GHCB MSR alone.

use abi_snp::ghcb::{MsrCall, MsrCallError, MsrRequest, ReasonSet, TerminationReason};

use super::exit::exit;
use super::guest_registers::{GuestRegister, read};
use crate::sync::mask;

/// Asks the host, and checks that it answers what was asked.
///
/// # Errors
///
/// The answer is malformed, answers something else or refuses.
pub(super) fn ask<C: MsrCall>(call: &C) -> Result<C::Answer, MsrCallError> {
    let masked = mask();
    exit(call.request().encode(), &masked);
    // Interrupts are masked: no other exit comes in between.
    call.answer(read(GuestRegister::Ghcb))
}

/// How often the host is asked to end the machine.
const MOST_REQUESTS: u32 = 16;

/// Asks the host to end the machine; `code` is one of the module's reasons.
/// Returns if the host does not.
pub(crate) fn terminate(code: u8) {
    let masked = mask();
    let reason = TerminationReason::new(ReasonSet::MODULE, code);
    let request = MsrRequest::Terminate(reason).encode();
    for _ in 0..MOST_REQUESTS {
        exit(request, &masked);
    }
}
