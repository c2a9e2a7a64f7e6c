//! *AP Jump Table*: the hypervisor keeps one address for the guest.

use abi_snp::ghcb::{ApJumpTableAction, ExitOutcome};

use crate::ghcb::page_event::PageEvent;
use crate::ghcb::served::{DONE, EventResult, Refusal};

/// Keeps or tells the address, which is 0 until it is set. Nothing is required
/// of it: it means nothing to the hypervisor.
pub(in crate::ghcb) fn serve(event: &PageEvent, address: &mut u64) -> EventResult {
    let action = ApJumpTableAction::decode(event.request.exit_info_1);
    Ok(match action.ok_or(Refusal::INVALID_INPUT)? {
        ApJumpTableAction::Set => {
            *address = event.request.exit_info_2;
            DONE
        }
        ApJumpTableAction::Get => ExitOutcome::Done(*address).answer(),
    })
}
