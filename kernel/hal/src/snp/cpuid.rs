//! The CPUID page.

use abi_boot::{BootBlock, PartKind};
use abi_snp::CpuidPage;

use crate::stop_reason::StopReason;

/// Encryption capabilities [APM 24594 appendix E.4.17]: bits 5:0 of EBX are the
/// position of the C-bit.
const ENCRYPTION: u32 = 0x8000_001f;
const C_BIT_MASK: u32 = 0x3f;

/// Checks that `c_bit_mask`, which the image was built with, is what the
/// platform has.
///
/// # Errors
///
/// The page is malformed, does not tell, or tells of another bit.
pub(super) fn check_c_bit(page: &CpuidPage, c_bit_mask: u64) -> Result<(), StopReason> {
    let entries = page.entries().ok_or(StopReason::CpuidPage)?;
    let entry =
        entries.iter().find(|entry| entry.eax_in == ENCRYPTION).ok_or(StopReason::CpuidPage)?;
    if 1 << (entry.ebx & C_BIT_MASK) == c_bit_mask { Ok(()) } else { Err(StopReason::CBit) }
}

/// The page that the platform has filled in.
///
/// # Errors
///
/// The image has none.
pub(super) fn page(block: &BootBlock<'static>) -> Result<&'static CpuidPage, StopReason> {
    let part = block.parts_of(PartKind::CPUID).next().ok_or(StopReason::BootBlock)?;
    let address = block.virtual_address(part.gpa).ok_or(StopReason::BootBlock)?;
    // SAFETY: INV-BOOT-1: parts are mapped as the boot block says; this one is a
    // page of read-only memory that the platform filled before the start, and
    // nobody writes it since. Any bytes are a `CpuidPage`.
    Ok(unsafe { &*core::ptr::with_exposed_provenance::<CpuidPage>(address as usize) })
}
