//! *SNP AP Creation* [GHCB 56421 2.04 §4.1].

use abi_snp::ghcb::{ApCreation, ApCreationAction, HypervisorFeatures};
use abi_snp::{SevFeatures, Vmpl};

use crate::ghcb::page_event::PageEvent;
use crate::ghcb::served::{DONE, Refusal, Served};
use crate::gpa::Gpa;
use crate::processors::{Processors, SaveAreaPage, Target};

/// Creates or destroys a save area. All that the account of processors refuses
/// is invalid input. A hypervisor without several levels takes the level's bits
/// for a part of the action, so it knows none but VMPL0.
pub(in crate::ghcb) fn serve(
    event: &PageEvent,
    offered: HypervisorFeatures,
    processors: &mut Processors,
) -> Result<Served, Refusal> {
    let creation =
        ApCreation::decode(event.request.exit_info_1).map_err(|_| Refusal::INVALID_INPUT)?;
    if creation.vmpl != Vmpl::Vmpl0 && !offered.contains(HypervisorFeatures::MULTI_VMPL) {
        return Err(Refusal::INVALID_INPUT);
    }
    let processor = processors.index(creation.apic_id).ok_or(Refusal::INVALID_INPUT)?;
    let target = Target { processor, vmpl: creation.vmpl };
    let before = processors.running(processor);
    match creation.action {
        ApCreationAction::CreateOnInit => {
            processors.create_on_init(event.processor, target, save_area(event)?)
        }
        ApCreationAction::Create => processors.create(event.processor, target, save_area(event)?),
        ApCreationAction::Destroy => processors.destroy(event.processor, target),
    }
    .map_err(|_| Refusal::INVALID_INPUT)?;
    let evicted = before.is_some() && processors.running(processor) != before;
    // The caller's own processor learns from `Answer::next` what it runs.
    Ok(if evicted && processor != event.processor {
        Served::Evicted(DONE, processor)
    } else {
        Served::Answer(DONE)
    })
}

fn save_area(event: &PageEvent) -> Result<SaveAreaPage, Refusal> {
    Ok(SaveAreaPage {
        gpa: Gpa(event.request.exit_info_2),
        features: SevFeatures::from_bits_retain(event.rax()?),
    })
}
