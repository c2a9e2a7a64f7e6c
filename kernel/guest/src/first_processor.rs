//! The state in which the guest's first virtual processor starts.

use abi_boot::GuestStart;
use abi_snp::{SegmentRegister, SevFeatures, Vmsa};
use abi_x86::{Cr0, Cr4, Efer, Rflags, SegmentAttributes, SegmentSelector, reset};
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
    let flat =
        |selector, attributes| SegmentRegister { selector, attributes, limit: u32::MAX, base: 0 };
    let data = flat(DATA, SegmentAttributes::DATA);
    vmsa.cs = flat(CODE, SegmentAttributes::CODE_64);
    (vmsa.ds, vmsa.es, vmsa.ss, vmsa.fs, vmsa.gs) = (data, data, data, data, data);
    let none = |attributes| SegmentRegister {
        selector: SegmentSelector::NULL,
        attributes,
        limit: 0xffff,
        base: 0,
    };
    vmsa.ldtr = none(SegmentAttributes::LDT);
    vmsa.tr = none(SegmentAttributes::TSS_BUSY);
    vmsa.gdtr.base = start.descriptor_table;
    vmsa.gdtr.limit = start.descriptor_table_limit;
    vmsa.vmpl = GUEST.number();
    vmsa.efer = Efer::SVME | Efer::LME | Efer::LMA | Efer::NXE;
    vmsa.cr0 = Cr0::PG | Cr0::WP | Cr0::NE | Cr0::ET | Cr0::PE;
    vmsa.cr4 = Cr4::PAE | Cr4::MCE;
    vmsa.cr3 = start.page_table_root | c_bit_mask;
    vmsa.rflags = Rflags::FIXED;
    (vmsa.dr6, vmsa.dr7) = (reset::DR6, reset::DR7);
    (vmsa.rip, vmsa.rsi) = (start.instruction, start.boot_parameters);
    vmsa.g_pat = reset::PAT;
    vmsa.xcr0 = reset::XCR0;
    (vmsa.mxcsr, vmsa.x87_fcw) = (reset::MXCSR, reset::X87_CONTROL_WORD);
    vmsa.sev_features = features;
    Ok(vmsa)
}
