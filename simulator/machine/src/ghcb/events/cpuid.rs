//! CPUID, by the page and by the MSR.

use abi_snp::ghcb::{CpuidRegister, SaveArea};

use crate::cpuid::CpuidQuery;
use crate::ghcb::host::Cpuid;
use crate::ghcb::page_event::PageEvent;
use crate::ghcb::served::{DONE, EventResult};
use crate::processors::ProcessorIndex;

/// CPUID for the registers that the page gives. XCR0 and XSS that it does not
/// give are those of a processor that has just started.
pub(in crate::ghcb) fn serve(event: &PageEvent, host: &mut impl Cpuid) -> EventResult {
    let started = CpuidQuery::new(event.rax()? as u32, event.rcx()? as u32);
    let query = CpuidQuery {
        xcr0: event.registers.xcr0.unwrap_or(started.xcr0),
        xss: event.registers.xss.unwrap_or(started.xss),
        ..started
    };
    let result = host.cpuid(event.processor, query);
    Ok(SaveArea {
        rax: Some(result.eax.into()),
        rbx: Some(result.ebx.into()),
        rcx: Some(result.ecx.into()),
        rdx: Some(result.edx.into()),
        ..DONE
    })
}

/// One register of a leaf's subleaf 0.
pub(in crate::ghcb) fn register(
    processor: ProcessorIndex,
    leaf: u32,
    register: CpuidRegister,
    host: &mut impl Cpuid,
) -> u32 {
    let result = host.cpuid(processor, CpuidQuery::new(leaf, 0));
    match register {
        CpuidRegister::Eax => result.eax,
        CpuidRegister::Ebx => result.ebx,
        CpuidRegister::Ecx => result.ecx,
        CpuidRegister::Edx => result.edx,
    }
}
