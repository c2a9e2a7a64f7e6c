//! Answers that come late: to a level that goes on after it has waited.

use abi_snp::ghcb::{ExitOutcome, MsrResponse, ResetHoldEnd};

use crate::ghcb::answer::Stop;
use crate::ghcb::host::PageStates;
use crate::ghcb::page_access;
use crate::guest_memory::GuestMemory;
use crate::processors::{Channel, Completion, Context};

/// Gives a level the answer that is due to it, if there is one.
pub(super) fn deliver<H>(
    completion: Option<Completion>,
    context: &mut Context,
    host: &mut H,
) -> Result<(), Stop>
where
    H: GuestMemory + PageStates,
{
    let Some(completion) = completion else { return Ok(()) };
    let (channel, exit_info_2, response) = match completion {
        Completion::ResetHold { channel, end } => {
            (channel, u64::from(end == ResetHoldEnd::StartUp), MsrResponse::ApResetHold(end))
        }
        Completion::RunVmpl { channel } => (channel, 0, MsrResponse::RunVmpl { error: 0 }),
    };
    match channel {
        Channel::Msr => {
            context.ghcb_msr = response.encode();
            Ok(())
        }
        Channel::Page(frame) => {
            page_access::store(frame, &ExitOutcome::Done(exit_info_2).answer(), host)
        }
    }
}
