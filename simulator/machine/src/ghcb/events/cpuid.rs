//! CPUID, by the page and by the MSR.

use abi_snp::ghcb::{CpuidRegister, SaveArea};

use crate::ghcb::host::{Cpuid, CpuidQuery};
use crate::ghcb::page_event::PageEvent;
use crate::ghcb::served::{DONE, EventResult};
use crate::processors::ProcessorIndex;

/// CPUID for the registers that the page gives; XCR0 and XSS only if marked.
pub(in crate::ghcb) fn serve(event: &PageEvent, host: &mut impl Cpuid) -> EventResult {
    let query = CpuidQuery {
        function: event.rax()? as u32,
        subfunction: event.rcx()? as u32,
        xcr0: event.registers.xcr0,
        xss: event.registers.xss,
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

/// One register of a function's subfunction 0.
pub(in crate::ghcb) fn register(
    processor: ProcessorIndex,
    function: u32,
    register: CpuidRegister,
    host: &mut impl Cpuid,
) -> u32 {
    let query = CpuidQuery { function, subfunction: 0, xcr0: None, xss: None };
    let result = host.cpuid(processor, query);
    match register {
        CpuidRegister::Eax => result.eax,
        CpuidRegister::Ebx => result.ebx,
        CpuidRegister::Ecx => result.ecx,
        CpuidRegister::Edx => result.edx,
    }
}
