//! Privilege levels below the module's, on the same processors.

use core::arch::asm;

use abi_snp::ghcb::{
    ApCreation, ApCreationAction, ExitCode, HypervisorFeatures, NaeError, PageOperation,
    SaveArea as Words, ValidFields,
};
use abi_snp::{PageSize, ReturnCode, SevFeatures, Vmpl};

use super::ghcb::Ghcb;
use super::reverse_map::{NotAdjusted, Validated, Validation, pvalidate, rmpadjust};
use super::{negotiation, page_state};
use crate::away::away;
use crate::processor::current;
use crate::stop_reason::StopReason;
use crate::sync::mask;

/// What guests take of the host.
const NEEDED: HypervisorFeatures =
    HypervisorFeatures::MULTI_VMPL.union(HypervisorFeatures::AP_CREATION);

/// Whether the host offers to run levels below the module's. Nothing on other
/// platforms, where nobody has asked.
pub(crate) fn has_levels() -> bool {
    negotiation::offered().contains(NEEDED)
}

/// Tells the host of the save area with which this processor is to run `level`
/// when it is asked to.
///
/// # Errors
///
/// The host does not accept it.
pub(crate) fn announce_save_area(
    level: Vmpl,
    save_area: u64,
    features: SevFeatures,
) -> Result<(), StopReason> {
    let creation = ApCreation {
        action: ApCreationAction::CreateOnInit,
        vmpl: level,
        apic_id: current().apic_id(),
    };
    let request = Words {
        rax: Some(features.bits()),
        ..Words::request(ExitCode::SNP_AP_CREATION.0, creation.encode(), save_area)
    };
    let masked = mask();
    let ghcb = Ghcb::of_this_processor(&masked).ok_or(StopReason::HostGuestStart)?;
    ghcb.ask(&request, ValidFields::empty()).map_err(|_| StopReason::HostGuestStart)?;
    Ok(())
}

/// Has the host run `level` on this processor, and returns when it runs the
/// module's again.
///
/// # Errors
///
/// The host refuses, or does not answer as the protocol has it.
#[inline]
pub(crate) fn run_level(level: Vmpl) -> Result<(), NaeError> {
    let request = Words::request(ExitCode::SNP_RUN_VMPL.0, level.number().into(), 0);
    let masked = mask();
    let Some(ghcb) = Ghcb::of_this_processor(&masked) else {
        panic!("a processor that runs a guest has a page for requests");
    };
    // It returns nothing but that it took place.
    let run = || ghcb.ask(&request, ValidFields::empty()).map(|_| ());
    // SAFETY: INV-AWAY-1: the request takes the processor's own page and the
    // stack.
    unsafe { away(&masked, run) }
}

/// Halts this processor until the host runs the module's level again, unless
/// somebody asks something of it.
pub(crate) fn rest() {
    let masked = mask();
    if current().requests.are_pending() {
        return;
    }
    // SAFETY: halting changes nothing, and nothing but the host's decision ends
    // it, since interrupts are masked. INV-AWAY-1: nothing else is done.
    unsafe { away(&masked, || asm!("hlt", options(nomem, nostack, preserves_flags))) };
}

/// Has the host make pages private that the module does not own: guest
/// physical addresses and sizes.
///
/// # Errors
///
/// The host does not do its part.
pub(crate) fn make_private(pages: impl Iterator<Item = (u64, PageSize)>) -> Result<(), StopReason> {
    page_state::change(pages, PageOperation::Private)
}

/// PVALIDATE of a page in a window.
///
/// # Errors
///
/// The return code, `None` for one that is not defined.
#[inline]
pub(crate) fn set_validation(
    address: u64,
    size: PageSize,
    validation: Validation,
) -> Result<Validated, Option<ReturnCode>> {
    // SAFETY: INV-VALIDATE-1: windows lead to pages that Rust code never uses.
    unsafe { pvalidate(address, size, validation) }
}

/// RMPADJUST of a page in a window.
///
/// # Errors
///
/// See [`NotAdjusted`].
#[inline]
pub(crate) fn adjust(address: u64, size: PageSize, operand: u64) -> Result<(), NotAdjusted> {
    // SAFETY: windows lead to pages that Rust code never uses. INV-SAVE-AREA-1:
    // what becomes a save area is one of a level below the module's.
    unsafe { rmpadjust(address, size, operand) }
}
