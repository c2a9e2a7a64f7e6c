//! DR7.
//!
//! The register itself is in the save area, out of the hypervisor's reach: it
//! can only remember what the guest has written.

use abi_snp::ghcb::SaveArea;

use crate::ghcb::page_event::PageEvent;
use crate::ghcb::served::{DONE, EventResult};
use crate::processors::Context;

/// Reads DR7.
pub(in crate::ghcb) fn read(context: &Context) -> EventResult {
    Ok(SaveArea { rax: Some(context.dr7), ..DONE })
}

/// Writes DR7.
pub(in crate::ghcb) fn write(event: &PageEvent, context: &mut Context) -> EventResult {
    context.dr7 = event.rax()?;
    Ok(DONE)
}
