//! Register state of the first virtual processor, as platforms want it.
//!
//! Both forms are made from the same [`Start`]: 64-bit mode with paging, flat
//! segments, interrupts off. What `Start` does not name is as after a reset, so
//! that a hypervisor that fills in reset values itself arrives at the same
//! state and the same measurement.

use abi_snp::{SegmentRegister, SevFeatures, Vmsa};
use abi_x86::{Cr0, Cr4, Efer, Rflags, SegmentAttributes, SegmentSelector, reset};
use igvm_defs::IgvmNativeVpContextX64;

use crate::layout::part::Start;

/// Selectors as Linux's boot protocol has them; the module's kernel loads its
/// own.
const CODE: SegmentSelector = SegmentSelector(0x10);
const DATA: SegmentSelector = SegmentSelector(0x18);

const CR0: Cr0 = Cr0::PG.union(Cr0::WP).union(Cr0::NE).union(Cr0::ET).union(Cr0::PE);
const CR4: Cr4 = Cr4::PAE;
const EFER: Efer = Efer::NXE.union(Efer::LMA).union(Efer::LME);

/// The state as an SNP save area at VMPL 0 [APM 24593 §15.34.10, table B-4].
pub(super) fn vmsa(start: &Start, features: SevFeatures) -> Vmsa {
    let (descriptor_table, descriptor_table_limit) = start.descriptor_table;
    let table = |base, limit| SegmentRegister {
        selector: SegmentSelector::NULL,
        attributes: SegmentAttributes::empty(),
        limit,
        base,
    };
    let mut page = Vmsa::zeroed();
    page.enter_64_bit_mode(CODE, DATA);
    page.gdtr = table(descriptor_table, descriptor_table_limit.into());
    page.idtr = table(0, reset::TABLE_LIMIT);
    page.vmpl = 0;
    page.cr3 = start.page_table_root | start.c_bit_mask;
    page.rip = start.instruction;
    page.rsp = start.stack;
    page.rsi = start.rsi;
    page.rdi = start.rdi;
    page.sev_features = features;
    page
}

/// The state as the IGVM format has it for a machine without isolation.
pub(super) fn native(start: &Start) -> IgvmNativeVpContextX64 {
    let (gdtr_base, gdtr_limit) = start.descriptor_table;
    IgvmNativeVpContextX64 {
        rax: 0,
        rcx: 0,
        rdx: 0,
        rbx: 0,
        rsp: start.stack,
        rbp: 0,
        rsi: start.rsi,
        rdi: start.rdi,
        r8: 0,
        r9: 0,
        r10: 0,
        r11: 0,
        r12: 0,
        r13: 0,
        r14: 0,
        r15: 0,
        rip: start.instruction,
        rflags: Rflags::FIXED.bits(),
        idtr_base: 0,
        idtr_limit: reset::TABLE_LIMIT as u16,
        reserved: [0; 2],
        gdtr_limit,
        gdtr_base,
        code_selector: CODE.0,
        code_attributes: spread(SegmentAttributes::CODE_64),
        code_base: 0,
        code_limit: u32::MAX,
        data_selector: DATA.0,
        data_attributes: spread(SegmentAttributes::DATA),
        data_base: 0,
        data_limit: u32::MAX,
        gs_base: 0,
        cr0: CR0.bits(),
        cr3: start.page_table_root | start.c_bit_mask,
        cr4: CR4.bits(),
        efer: EFER.bits(),
    }
}

/// Attributes with bits 8 to 11, where a descriptor holds part of the limit,
/// left out: as a descriptor and the IGVM format have them.
fn spread(attributes: SegmentAttributes) -> u16 {
    let bits = attributes.bits();
    bits & 0xff | (bits & 0xf00) << 4
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start() -> Start {
        Start {
            instruction: 0xffff_ffff_8000_1234,
            stack: 0xffff_ffff_8001_0000,
            rdi: 0xffff_ffff_8000_0000,
            rsi: 7,
            page_table_root: 0x80a_0000,
            c_bit_mask: 1 << 51,
            descriptor_table: (0x1000, 31),
        }
    }

    #[test]
    fn save_area_holds_the_contract() {
        let vmsa = vmsa(&start(), SevFeatures::SNP_ACTIVE);
        assert_eq!(vmsa.rip, 0xffff_ffff_8000_1234);
        assert_eq!(vmsa.rsp, 0xffff_ffff_8001_0000);
        assert_eq!((vmsa.rdi, vmsa.rsi), (0xffff_ffff_8000_0000, 7));
        assert_eq!(vmsa.cr3, 0x0008_0000_080a_0000);
        assert_eq!(vmsa.cr0.bits(), 0x8001_0031);
        assert_eq!(vmsa.cr4.bits(), 0x60);
        assert_eq!(vmsa.efer.bits(), 0x1d00);
        assert_eq!(vmsa.rflags.bits(), 2);
        assert_eq!(vmsa.sev_features.bits(), 1);
        assert_eq!((vmsa.vmpl, vmsa.cpl), (0, 0));
        assert_eq!((vmsa.gdtr.base, vmsa.gdtr.limit), (0x1000, 31));
    }

    #[test]
    fn native_state_is_the_same_but_for_snp() {
        let native = native(&start());
        assert_eq!(native.efer, 0xd00);
        assert_eq!(native.code_attributes, 0xa09b);
        assert_eq!(native.data_attributes, 0xc093);
        assert_eq!(native.cr0, 0x8001_0031);
        assert_eq!((native.rip, native.rsp), (0xffff_ffff_8000_1234, 0xffff_ffff_8001_0000));
        assert_eq!((native.rdi, native.rsi), (0xffff_ffff_8000_0000, 7));
    }
}
