//! VMMCALL.

use abi_snp::ghcb::{MalformedInput, SaveArea};

use crate::ghcb::host::{Hypercall, Hypercalls};
use crate::ghcb::page_event::PageEvent;
use crate::ghcb::served::{DONE, EventResult};

/// Executes a hypercall.
pub(in crate::ghcb) fn serve(event: &PageEvent, host: &mut impl Hypercalls) -> EventResult {
    let registers = event.registers;
    let call = Hypercall {
        cpl: registers.cpl.ok_or(MalformedInput::MISSING_INPUT)?,
        rax: event.rax()?,
        rbx: registers.rbx,
        rcx: registers.rcx,
        rdx: registers.rdx,
        rsi: registers.rsi,
    };
    Ok(SaveArea { rax: Some(host.hypercall(event.processor, call)), ..DONE })
}
