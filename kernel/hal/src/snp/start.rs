//! The start on SEV-SNP, until memory can be used and messages can be seen.

use core::fmt;

use abi_boot::{BootBlock, PartKind};
use abi_snp::SevFeatures;

use super::ports::CONSOLE;
use super::{clock, cpuid, doorbell, first_ghcb, negotiation, processors, region, status, timer};
use crate::processor::current;
use crate::stop_reason::StopReason;

/// From the boot block to usable memory. `tell` prints a line, once there is a
/// console.
///
/// Until there is a GHCB page, nothing may be intercepted: a #VC could not be
/// answered. So there is no CPUID, no port and no register that the host looks
/// after before that.
///
/// # Errors
///
/// Why the kernel cannot go on.
pub(crate) fn start(
    block: &BootBlock<'static>,
    tell: fn(fmt::Arguments<'_>),
) -> Result<(), StopReason> {
    let features = status::features();
    status::check(features)?;
    let offers = negotiation::negotiate(block.c_bit_mask)?;
    let findings = cpuid::check(block)?;
    first_ghcb::check_level()?;
    first_ghcb::share(block)?;
    current().set_apic_id(processors::own_identifier()?);
    CONSOLE.configure();
    tell(format_args!("SEV features: {features}; host offers: {offers}"));
    if findings != 0 {
        tell(format_args!("CPUID page: {findings} statements do not add up and are not used"));
    }
    clock::start(block, features)?;
    // A guest finds the interrupt controllers as it has left them: what is for it
    // must not come to the module, nor what is for the module to it.
    let has_guest = block.parts_of(PartKind::GUEST_START).next().is_some();
    if features.contains(SevFeatures::RESTRICTED_INJECTION) && !has_guest {
        doorbell::use_events();
        timer::start()?;
    }
    let counts = region::validate(block)?;
    tell(format_args!(
        "region: validated {} pages of 2 MiB and {} of 4 KiB, {} split",
        counts.large, counts.small, counts.split
    ));
    Ok(())
}
