//! The CPUID page.
//!
//! On SEV-SNP this page is where answers come from: CPUID itself would be
//! answered by the host. `cpuid_table` checks the page as a whole.

use abi_boot::{BootBlock, PartKind};
use abi_snp::CpuidPage;
use abi_x86::Cr4;
use cpuid_table::{Answer, Asker, CpuidTable};

use crate::control_registers::{cr4, xcr0};
use crate::processor::current;
use crate::stop_reason::StopReason;
use crate::sync::Once;

static TABLE: Once<CpuidTable<'static>> = Once::new();

/// Checks the page and keeps it for [`query`]. Returns how much of it is not
/// used, because it does not add up.
///
/// # Errors
///
/// There is no page, it cannot be used, or it says that the C-bit is not
/// `c_bit_mask`, which the image was built with.
pub(super) fn check(block: &BootBlock<'static>) -> Result<u32, StopReason> {
    let mut findings = 0_u32;
    let table = CpuidTable::check(page(block)?, &mut |_| findings = findings.saturating_add(1))
        .map_err(|_| StopReason::HostCpuidPage)?;
    if 1 << table.c_bit_position() != block.c_bit_mask {
        return Err(StopReason::CBit);
    }
    TABLE.set(table).map_err(|_| StopReason::HostCpuidPage)?;
    Ok(findings)
}

/// What CPUID says to this processor; zeros before [`check`].
pub(crate) fn query(leaf: u32, subleaf: u32) -> Answer {
    let Some(table) = TABLE.get() else { return Answer::ZERO };
    let cr4 = cr4();
    let xcr0 = if cr4.contains(Cr4::OSXSAVE) { xcr0() } else { 1 };
    table.query(leaf, subleaf, &Asker { xcr0, xss: 0, cr4, apic_id: current().apic_id() })
}

/// The page that the platform has filled in.
fn page(block: &BootBlock<'static>) -> Result<&'static CpuidPage, StopReason> {
    let part = block.parts_of(PartKind::CPUID).next().ok_or(StopReason::BootBlock)?;
    let address = block.virtual_address(part.gpa).ok_or(StopReason::BootBlock)?;
    // SAFETY: INV-BOOT-1: parts are mapped as the boot block says; this one is a
    // page of read-only memory that the platform filled before the start, and
    // nobody writes it since. Any bytes are a `CpuidPage`.
    Ok(unsafe { &*core::ptr::with_exposed_provenance::<CpuidPage>(address as usize) })
}
