//! Other processors: which there are, and how they start.
//!
//! A processor's first state is a save area that the kernel fills in: the host
//! can start it or not, but not change where it starts. The save area becomes
//! one by RMPADJUST, so that the host cannot run any other page as one.

use core::mem::ManuallyDrop;

use abi_snp::ghcb::{
    ApCreation, ApCreationAction, ApicIdList, ExitCode, GuestFrame, HypervisorFeatures,
    RegisterGhcb, SaveArea as Words, ValidFields,
};
use abi_snp::{PageSize, SevFeatures, TscInfo, Vmpl, Vmsa};
use abi_x86::{SIZE_2M, SIZE_4K};
use alloc::vec::Vec;
use processor::{CODE_SELECTOR, DATA_SELECTOR};
use zerocopy::FromBytes;

use super::doorbell_controller::CONTROLLER;
use super::ghcb::Ghcb;
use super::msr_protocol::ask;
use super::negotiation::offered;
use super::reverse_map::rmpadjust;
use super::{doorbell, status};
use crate::control_registers::cr3;
use crate::heap::TryPush;
use crate::memory::{Frames, SaveArea, ShareError, SharedPages, virtual_address};
use crate::processor::{MAX_PROCESSORS, Processor, ProcessorIndex, current};
use crate::processor_start::ProcessorStart;
use crate::shared_slot::{DoorbellPage, SharedPage};
use crate::start_error::StartError;
use crate::stop_reason::StopReason;
use crate::sync::{Once, mask};

/// Operand of RMPADJUST: bit 16 makes a save area; the target level must be below
/// the own one, and gets no permissions [APM 24594 RMPADJUST].
const MAKE_SAVE_AREA: u64 = 1 << 16 | 1;

/// Most bytes of the host's list that are looked at.
const LIST_SIZE: usize = 4 * (1 + MAX_PROCESSORS);

/// Asks the host for the own identifier. It is the host's to give: a lie makes
/// the host refuse, or start, what it likes, which it can anyway.
pub(super) fn own_identifier() -> Result<u32, StopReason> {
    CONTROLLER.enable()
}

/// The host's list of identifiers, without those that it repeats; `None` if it
/// does not offer to list them.
pub(crate) fn identifiers() -> Result<Option<Vec<u32>>, StartError> {
    if !offered().contains(HypervisorFeatures::APIC_ID_LIST) {
        return Ok(None);
    }
    let host = |_| StartError::Host(StopReason::HostProcessorList);
    let list = SharedPages::allocate(1).map_err(share_error)?;
    let request =
        Words { rax: Some(1), ..Words::request(ExitCode::GET_APIC_IDS.0, list.address(), 0) };
    {
        let masked = mask();
        let ghcb = Ghcb::of_this_processor(&masked).ok_or(StartError::Unsupported)?;
        ghcb.ask(&request, ValidFields::empty())
            .map_err(|_| StartError::Host(StopReason::HostGhcbAnswer))?;
    }
    let mut bytes = [0; LIST_SIZE];
    list.read(0, &mut bytes);
    let ids = ApicIdList::parse(&bytes).map_err(host)?.ids();
    let mut distinct = Vec::new();
    for id in ids {
        if !distinct.contains(&id) {
            distinct.try_push(id)?;
        }
    }
    Ok(Some(distinct))
}

/// Gives a processor its page for requests, and one for events if it is to have
/// any. They are registered when it runs.
pub(crate) fn prepare(processor: &Processor) -> Result<(), StartError> {
    let is_first = processor.index() == ProcessorIndex::FIRST;
    if !is_first && has_secure_tsc() && TIME_STAMP.get().is_none() {
        return Err(StartError::TimeStamp);
    }
    if processor.ghcb.get().is_none() {
        let (address, gpa) = share_for_ever()?;
        // SAFETY: INV-FRAME-1: the page is mapped, shared and never freed; it is
        // only used as atomics.
        let page = unsafe { &*core::ptr::with_exposed_provenance::<SharedPage>(address) };
        processor.ghcb.fill(page, gpa);
    }
    if doorbell::are_used() {
        let (address, gpa) = share_for_ever()?;
        // SAFETY: INV-FRAME-1: as above.
        let page = unsafe { &*core::ptr::with_exposed_provenance::<DoorbellPage>(address) };
        processor.doorbell.fill(page, gpa);
    }
    Ok(())
}

/// A page that stays shared: virtual and guest physical address.
fn share_for_ever() -> Result<(usize, u64), StartError> {
    let page = ManuallyDrop::new(SharedPages::allocate(1).map_err(share_error)?);
    Ok((virtual_address(page.address()) as usize, page.address()))
}

/// Registers the pages of the processor that runs this, and switches its
/// interrupt controller on if anything can come from there.
pub(crate) fn enter() -> Result<(), StopReason> {
    let (_, gpa) = current().ghcb.get().ok_or(StopReason::HostGhcbRegistration)?;
    let frame = GuestFrame::at(gpa).ok_or(StopReason::HostGhcbRegistration)?;
    ask(&RegisterGhcb(frame)).map_err(|_| StopReason::HostGhcbRegistration)?;
    if current().doorbell.get().is_some() {
        doorbell::register()?;
        CONTROLLER.enable()?;
    }
    Ok(())
}

/// How the time stamp counters of processors run that the kernel starts, with
/// Secure TSC: as the first one's. Only the security processor knows.
static TIME_STAMP: Once<TscInfo> = Once::new();

/// Whether the time stamp counters of processors run as their save areas say.
pub(crate) fn has_secure_tsc() -> bool {
    status::features().contains(SevFeatures::SECURE_TSC)
}

/// Notes how time stamp counters run.
pub(crate) fn set_time_stamp_parameters(info: TscInfo) {
    // They were noted before: the counters' parameters are for ever.
    let _ = TIME_STAMP.set(info);
}

/// Has the host start a processor.
pub(crate) fn start(start: &ProcessorStart) -> Result<(), StartError> {
    let mut frames = save_area_frames()?;
    let bytes = frames.bytes_mut();
    let Ok(vmsa) = Vmsa::mut_from_bytes(bytes) else {
        unreachable!("a save area is a page of any bytes");
    };
    fill(vmsa, start);
    if has_secure_tsc() {
        let info = TIME_STAMP.get().ok_or(StartError::TimeStamp)?;
        (vmsa.guest_tsc_scale, vmsa.guest_tsc_offset) = (info.scale, info.offset);
    }
    let features = vmsa.sev_features.bits();
    // The save area is the processor's for ever.
    let (gpa, _) = frames.into_raw();
    // SAFETY: nobody refers to the page any more; the processor starts as
    // `ProcessorStart` promises.
    unsafe { rmpadjust(virtual_address(gpa), PageSize::Size4K, MAKE_SAVE_AREA) }
        .map_err(|_| StartError::Host(StopReason::HostSaveArea))?;
    let creation = ApCreation {
        action: ApCreationAction::Create,
        vmpl: Vmpl::Vmpl0,
        apic_id: start.processor.apic_id(),
    };
    let request = Words {
        rax: Some(features),
        ..Words::request(ExitCode::SNP_AP_CREATION.0, creation.encode(), gpa)
    };
    let masked = mask();
    let ghcb = Ghcb::of_this_processor(&masked).ok_or(StartError::Unsupported)?;
    ghcb.ask(&request, ValidFields::empty())
        .map_err(|_| StartError::Host(StopReason::HostProcessorStart))?;
    Ok(())
}

/// A frame for a save area. Processors mishandle those at a multiple of 2 MiB, so
/// KVM refuses them.
fn save_area_frames() -> Result<Frames<SaveArea>, StartError> {
    let frames = Frames::<SaveArea>::allocate(1)?;
    if frames.address().is_multiple_of(SIZE_2M) {
        // The first one goes back after the second has been taken.
        return Ok(Frames::<SaveArea>::allocate(1)?);
    }
    Ok(frames)
}

/// The state of [`enter`](ProcessorStart::entry): 64-bit mode, like the first
/// processor's at its start.
fn fill(vmsa: &mut Vmsa, start: &ProcessorStart) {
    vmsa.enter_64_bit_mode(CODE_SELECTOR, DATA_SELECTOR);
    vmsa.vmpl = Vmpl::Vmpl0.number();
    vmsa.cr3 = cr3();
    (vmsa.rip, vmsa.rsp, vmsa.rdi) = (start.entry, start.stack_top, start.entry_argument);
    vmsa.sev_features = status::features();
}

const _: () = assert!(size_of::<Vmsa>() == SIZE_4K as usize);

fn share_error(error: ShareError) -> StartError {
    match error {
        ShareError::OutOfMemory(error) => StartError::OutOfMemory(error),
        ShareError::Refused(_) => StartError::Host(StopReason::HostPageState),
    }
}
