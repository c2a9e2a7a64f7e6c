//! RDTSC, RDTSCP and RDPMC.

use abi_snp::ghcb::SaveArea;
use abi_x86::Msr;

use crate::ghcb::events::special_registers::split;
use crate::ghcb::host::{PerformanceCounters, SpecialRegisters, TimeStampCounter};
use crate::ghcb::page_event::PageEvent;
use crate::ghcb::served::{DONE, EventResult};

/// RDTSC.
pub(in crate::ghcb) fn time_stamp(
    event: &PageEvent,
    host: &mut impl TimeStampCounter,
) -> EventResult {
    Ok(in_rax_and_rdx(host.time_stamp(event.processor)))
}

/// RDTSCP, which returns `TSC_AUX` besides.
pub(in crate::ghcb) fn time_stamp_and_processor<H>(event: &PageEvent, host: &mut H) -> EventResult
where
    H: TimeStampCounter + SpecialRegisters,
{
    let (auxiliary, _) = split(host.read_msr(event.processor, Msr::TSC_AUX)?);
    let answer = in_rax_and_rdx(host.time_stamp(event.processor));
    Ok(SaveArea { rcx: Some(auxiliary), ..answer })
}

/// RDPMC.
pub(in crate::ghcb) fn performance_counter(
    event: &PageEvent,
    host: &mut impl PerformanceCounters,
) -> EventResult {
    let value = host.performance_counter(event.processor, event.rcx()? as u32)?;
    Ok(in_rax_and_rdx(value))
}

fn in_rax_and_rdx(value: u64) -> SaveArea {
    let (rax, rdx) = split(value);
    SaveArea { rax: Some(rax), rdx: Some(rdx), ..DONE }
}
