//! *Get APIC IDs* [GHCB 56421 2.04 §4.1; details as in patches to Linux/KVM].

use alloc::vec;
use alloc::vec::Vec;

use abi_snp::PageSize;
use abi_snp::ghcb::{ApicIdList, GuestFrame, SaveArea};

use crate::ghcb::host::PageStates;
use crate::ghcb::page_event::PageEvent;
use crate::ghcb::scratch::is_shared;
use crate::ghcb::served::{DONE, EventResult, Refusal};
use crate::gpa::Gpa;
use crate::guest_memory::GuestMemory;
use crate::processors::Processors;
use crate::reverse_map::Encryption;

/// Writes the list. RAX always comes back: the number of pages that the guest
/// gave if the list is there, the number that it takes if these were not
/// enough.
pub(in crate::ghcb) fn serve<H>(
    event: &PageEvent,
    processors: &Processors,
    host: &mut H,
) -> EventResult
where
    H: GuestMemory + PageStates,
{
    let ids: Vec<u32> = processors.indices().map(|processor| processor.apic_id()).collect();
    let size = ids.len().saturating_add(1).saturating_mul(4);
    let needed = (size as u64).div_ceil(PageSize::Size4K.bytes());
    let given = event.rax()?;
    if given < needed {
        return Ok(SaveArea { rax: Some(needed), ..DONE });
    }
    let frame = GuestFrame::at(event.request.exit_info_1).ok_or(Refusal::INVALID_INPUT)?;
    let start = Gpa(frame.address());
    let mut bytes = vec![0; size];
    ApicIdList::write(&ids, &mut bytes).ok_or(Refusal::INVALID_INPUT)?;
    if !is_shared(start, size as u64, host)
        || host.write(start, Encryption::Shared, &bytes).is_err()
    {
        return Err(Refusal::INVALID_INPUT);
    }
    Ok(SaveArea { rax: Some(given), ..DONE })
}
