//! RDMSR and WRMSR.

use abi_snp::ghcb::SaveArea;
use abi_x86::Msr;

use crate::ghcb::host::SpecialRegisters;
use crate::ghcb::page_event::PageEvent;
use crate::ghcb::served::{DONE, EventResult, Refusal};

/// Reads or writes a register. What the platform refuses ends in #GP(0).
pub(in crate::ghcb) fn serve(event: &PageEvent, host: &mut impl SpecialRegisters) -> EventResult {
    let msr = Msr(event.rcx()? as u32);
    match event.request.exit_info_1 {
        0 => {
            let value = host.read_msr(event.processor, msr)?;
            let (rax, rdx) = split(value);
            Ok(SaveArea { rax: Some(rax), rdx: Some(rdx), ..DONE })
        }
        1 => {
            let value = event.rdx()? << 32 | event.rax()? & 0xffff_ffff;
            host.write_msr(event.processor, msr, value)?;
            Ok(DONE)
        }
        _ => Err(Refusal::INVALID_INPUT),
    }
}

/// The halves of a value, as EAX and EDX return them.
pub(in crate::ghcb) const fn split(value: u64) -> (u64, u64) {
    (value & 0xffff_ffff, value >> 32)
}
