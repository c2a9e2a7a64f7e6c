//! Interrupts that the guest sends or has done with.

use crate::ghcb::host::InterruptControl;
use crate::ghcb::page_event::PageEvent;
use crate::ghcb::served::{DONE, EventResult, Refusal};

/// *#HV IPI*: sends an interrupt to another processor.
pub(in crate::ghcb) fn send(event: &PageEvent, host: &mut impl InterruptControl) -> EventResult {
    host.send_interrupt(event.processor, event.request.exit_info_1)
        .map_err(|_| Refusal::INVALID_INPUT)?;
    Ok(DONE)
}

/// *NMI Complete*.
pub(in crate::ghcb) fn nmi_completed(
    event: &PageEvent,
    host: &mut impl InterruptControl,
) -> EventResult {
    host.nmi_completed(event.processor);
    Ok(DONE)
}
