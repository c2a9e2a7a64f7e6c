//! The end of a guest.

use abi_snp::ghcb::TerminationReason;

use crate::ghcb::answer::Stop;
use crate::ghcb::page_event::PageEvent;
use crate::ghcb::served::{Refusal, Served};

/// *Termination Request*.
pub(in crate::ghcb) fn requested(event: &PageEvent) -> Result<Served, Refusal> {
    let reason = TerminationReason::from_exit_info_1(event.request.exit_info_1);
    Ok(Served::Stop(Stop::Terminated(reason.ok_or(Refusal::INVALID_INPUT)?)))
}

/// *Unsupported Event*: the guest met an exit that it cannot handle. It does
/// not expect to go on.
pub(in crate::ghcb) fn unsupported(event: &PageEvent) -> Served {
    let code = event.request.exit_info_1;
    Served::Stop(Stop::UnsupportedExit { code, detail: event.request.exit_info_2 })
}
