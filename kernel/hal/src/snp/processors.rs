//! Other processors: which there are, and how they start.
//!
//! A processor's first state is a save area that the kernel fills in: the host
//! can start it or not, but not change where it starts. The save area becomes
//! one by RMPADJUST, so that the host cannot run any other page as one.

use abi_snp::ghcb::{
    ApCreation, ApCreationAction, ApicIdList, ExitCode, GuestFrame, RegisterGhcb,
    SaveArea as Words, ValidFields,
};
use abi_snp::{SegmentRegister, Vmpl, Vmsa};
use abi_x86::{
    Cr0, Cr4, Efer, Msr, Rflags, SIZE_2M, SIZE_4K, SegmentAttributes, SegmentSelector, reset,
};
use alloc::vec::Vec;
use processor::{CODE_SELECTOR, DATA_SELECTOR};
use zerocopy::FromBytes;

use super::ghcb::Ghcb;
use super::msr_protocol::ask;
use super::reverse_map::rmpadjust;
use super::{registers, status};
use crate::control_registers::cr3;
use crate::ghcb_slot::SharedPage;
use crate::memory::{Frames, SaveArea, ShareError, SharedPages, virtual_address};
use crate::processor::{MAX_PROCESSORS, Processor, current};
use crate::processor_start::ProcessorStart;
use crate::start_error::StartError;
use crate::stop_reason::StopReason;
use crate::sync::mask;

/// x2APIC mode, and on: two bits of the base register [APM 24593 §16.3.1].
const X2APIC_ENABLE: u64 = 3 << 10;
/// x2APIC: the own identifier [APM 24593 §16.11].
const X2APIC_ID: Msr = Msr(0x802);

/// Operand of RMPADJUST: bit 16 makes a save area; the target level must be below
/// the own one, and gets no permissions [APM 24594 RMPADJUST].
const MAKE_SAVE_AREA: u64 = 1 << 16 | 1;

/// Most bytes of the host's list that are looked at.
const LIST_SIZE: usize = 4 * (1 + MAX_PROCESSORS);

/// Asks the host for the own identifier. It is the host's to give: a lie makes
/// the host refuse, or start, what it likes, which it can anyway.
pub(super) fn own_identifier() -> Result<u32, StopReason> {
    let base = registers::read(Msr::APIC_BASE)?;
    registers::write(Msr::APIC_BASE, base | X2APIC_ENABLE)?;
    Ok(registers::read(X2APIC_ID)? as u32)
}

/// The host's list of identifiers, without those that it repeats.
pub(crate) fn identifiers() -> Result<Vec<u32>, StartError> {
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
    distinct.try_reserve_exact(ids.len()).map_err(|_| crate::OutOfMemory)?;
    for id in ids {
        if !distinct.contains(&id) {
            distinct.push(id);
        }
    }
    if distinct.contains(&current().apic_id()) {
        Ok(distinct)
    } else {
        Err(StartError::Host(StopReason::HostProcessorList))
    }
}

/// Gives a processor its page for requests. It is registered when it starts.
pub(crate) fn prepare(processor: &Processor) -> Result<(), StartError> {
    let page = SharedPages::allocate(1).map_err(share_error)?;
    // The page is the processor's for ever.
    let page = core::mem::ManuallyDrop::new(page);
    let words =
        core::ptr::with_exposed_provenance::<SharedPage>(virtual_address(page.address()) as usize);
    // SAFETY: INV-FRAME-1: the page is mapped, shared, and never freed; it is
    // only used as atomic words.
    processor.ghcb.fill(unsafe { &*words }, page.address());
    Ok(())
}

/// Registers the page of the processor that runs this.
pub(crate) fn enter() -> Result<(), StopReason> {
    let (_, gpa) = current().ghcb.get().ok_or(StopReason::HostGhcbRegistration)?;
    let frame = GuestFrame::at(gpa).ok_or(StopReason::HostGhcbRegistration)?;
    ask(&RegisterGhcb(frame)).map_err(|_| StopReason::HostGhcbRegistration)
}

/// Has the host start a processor.
pub(crate) fn start(start: &ProcessorStart) -> Result<(), StartError> {
    let mut frames = save_area_frames()?;
    let bytes = frames.bytes_mut();
    let Ok(vmsa) = Vmsa::mut_from_bytes(bytes) else {
        unreachable!("a save area is a page of any bytes");
    };
    fill(vmsa, start);
    let features = vmsa.sev_features.bits();
    // The save area is the processor's for ever.
    let (gpa, _) = frames.into_raw();
    // SAFETY: nobody refers to the page any more; the processor starts as
    // `ProcessorStart` promises.
    unsafe { rmpadjust(virtual_address(gpa), MAKE_SAVE_AREA) }
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
    let flat =
        |selector, attributes| SegmentRegister { selector, attributes, limit: u32::MAX, base: 0 };
    let data = flat(DATA_SELECTOR, SegmentAttributes::DATA);
    vmsa.cs = flat(CODE_SELECTOR, SegmentAttributes::CODE_64);
    (vmsa.ds, vmsa.es, vmsa.ss, vmsa.fs, vmsa.gs) = (data, data, data, data, data);
    let none = |attributes| SegmentRegister {
        selector: SegmentSelector::NULL,
        attributes,
        limit: 0xffff,
        base: 0,
    };
    vmsa.ldtr = none(SegmentAttributes::LDT);
    vmsa.tr = none(SegmentAttributes::TSS_BUSY);
    vmsa.vmpl = Vmpl::Vmpl0.number();
    vmsa.efer = Efer::SVME | Efer::LME | Efer::LMA | Efer::NXE;
    vmsa.cr0 = Cr0::PG | Cr0::WP | Cr0::NE | Cr0::ET | Cr0::PE;
    vmsa.cr4 = Cr4::PAE | Cr4::MCE;
    vmsa.cr3 = cr3();
    vmsa.rflags = Rflags::FIXED;
    (vmsa.dr6, vmsa.dr7) = (reset::DR6, reset::DR7);
    (vmsa.rip, vmsa.rsp, vmsa.rdi) = (start.entry, start.stack_top, start.entry_argument);
    vmsa.g_pat = reset::PAT;
    vmsa.xcr0 = reset::XCR0;
    (vmsa.mxcsr, vmsa.x87_fcw) = (reset::MXCSR, reset::X87_CONTROL_WORD);
    vmsa.sev_features = status::features();
}

const _: () = assert!(size_of::<Vmsa>() == SIZE_4K as usize);

fn share_error(error: ShareError) -> StartError {
    match error {
        ShareError::OutOfMemory(error) => StartError::OutOfMemory(error),
        ShareError::Refused(_) => StartError::Host(StopReason::HostPageState),
    }
}
