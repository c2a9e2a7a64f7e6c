//! Requests by the GHCB MSR alone.

use abi_snp::ghcb::{MsrCall, MsrCallError, MsrRequest, ReasonSet, TerminationReason};

use super::exit::exit;
use crate::sync::mask;

/// Asks the host, and checks that it answers what was asked.
///
/// # Errors
///
/// The answer is malformed, answers something else or refuses.
pub(super) fn ask<C: MsrCall>(call: &C) -> Result<C::Answer, MsrCallError> {
    let masked = mask();
    call.answer(exit(call.request().encode(), &masked))
}

/// Ends the machine; `code` is one of the module's reasons.
pub(crate) fn terminate(code: u8) -> ! {
    let masked = mask();
    let reason = TerminationReason::new(ReasonSet::MODULE, code);
    let request = MsrRequest::Terminate(reason).encode();
    // A host that lets the processor go on gets the request again.
    loop {
        exit(request, &masked);
    }
}
