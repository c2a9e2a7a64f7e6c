//! *#HV Doorbell Page* [GHCB 56421 2.04 §4.1].
//!
//! The account keeps the page; whoever injects events finds it there
//! ([`Context::doorbell`]).

use abi_snp::ghcb::{DoorbellAction, ExitOutcome, GuestFrame};

use crate::ghcb::host::PageStates;
use crate::ghcb::page_event::PageEvent;
use crate::ghcb::served::{DONE, EventResult, Refusal};
use crate::processors::Context;

/// Sets, tells or forgets the page. The server prefers none.
pub(in crate::ghcb) fn serve(
    event: &PageEvent,
    context: &mut Context,
    host: &impl PageStates,
) -> EventResult {
    let action = DoorbellAction::decode(event.request.exit_info_1);
    let page = match action.ok_or(Refusal::INVALID_INPUT)? {
        DoorbellAction::GetPreferred => None,
        DoorbellAction::Query => context.doorbell,
        DoorbellAction::Set => {
            let frame = GuestFrame::at(event.request.exit_info_2).ok_or(Refusal::INVALID_INPUT)?;
            if !host.is_shared(frame) {
                return Err(Refusal::INVALID_INPUT);
            }
            context.doorbell = Some(frame);
            return Ok(DONE);
        }
        DoorbellAction::Clear => {
            context.doorbell = None;
            return Ok(DONE);
        }
    };
    Ok(ExitOutcome::Done(DoorbellAction::answer(page)).answer())
}
