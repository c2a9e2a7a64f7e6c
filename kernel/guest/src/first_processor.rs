//! The state in which the guest's first virtual processor starts.

use abi_boot::GuestStart;
use abi_snp::{SevFeatures, Vmsa};
use abi_x86::SegmentSelector;
use hal::OutOfMemory;
use hal::heap::try_box;

use alloc::boxed::Box;

use crate::level::GUEST;

/// Selectors of Linux's 64-bit boot protocol.
const CODE: SegmentSelector = SegmentSelector(0x10);
const DATA: SegmentSelector = SegmentSelector(0x18);

/// The save area of a virtual processor in 64-bit mode at the entry that `start`
/// names.
///
/// # Errors
///
/// There is no memory for it.
pub(crate) fn save_area(
    start: &GuestStart,
    c_bit_mask: u64,
    features: SevFeatures,
) -> Result<Box<Vmsa>, OutOfMemory> {
    let mut vmsa = try_box(Vmsa::zeroed())?;
    vmsa.enter_64_bit_mode(CODE, DATA);
    vmsa.gdtr.base = start.descriptor_table;
    vmsa.gdtr.limit = start.descriptor_table_limit;
    vmsa.vmpl = GUEST.number();
    vmsa.cr3 = start.page_table_root | c_bit_mask;
    (vmsa.rip, vmsa.rsi) = (start.instruction, start.boot_parameters);
    vmsa.sev_features = features;
    Ok(vmsa)
}
