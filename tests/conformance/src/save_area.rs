//! Save areas of workers.

use alloc::boxed::Box;

use abi_snp::{SegmentRegister, SevFeatures, Vmpl, Vmsa};
use abi_x86::{Cr0, Cr4, Efer, Rflags, SegmentAttributes, SegmentSelector, reset};

use crate::machine::StartState;

/// The save area that a worker starts with at `vmpl`.
pub(crate) fn save_area(state: &StartState, vmpl: Vmpl, features: SevFeatures) -> Box<Vmsa> {
    let mut vmsa = Box::new(Vmsa::zeroed());
    let flat = |selector, attributes, base| SegmentRegister {
        selector,
        attributes,
        limit: u32::MAX,
        base,
    };
    let data = flat(state.data, SegmentAttributes::DATA, 0);
    vmsa.cs = flat(state.cs, SegmentAttributes::CODE_64, 0);
    (vmsa.ds, vmsa.es, vmsa.ss, vmsa.fs) = (data, data, data, data);
    vmsa.gs = flat(state.data, SegmentAttributes::DATA, state.gs_base);
    (vmsa.gdtr, vmsa.idtr, vmsa.tr) = (state.gdt, state.idt, state.task);
    vmsa.ldtr = SegmentRegister {
        selector: SegmentSelector::NULL,
        attributes: SegmentAttributes::LDT,
        limit: 0xffff,
        base: 0,
    };
    vmsa.vmpl = vmpl.number();
    vmsa.efer = Efer::SVME | Efer::LME | Efer::LMA | Efer::NXE;
    vmsa.cr0 = Cr0::PG | Cr0::WP | Cr0::NE | Cr0::ET | Cr0::PE;
    vmsa.cr4 = Cr4::PAE | Cr4::MCE;
    vmsa.cr3 = state.cr3;
    vmsa.rflags = Rflags::FIXED;
    (vmsa.dr6, vmsa.dr7) = (reset::DR6, reset::DR7);
    (vmsa.rip, vmsa.rsp) = (state.rip, state.rsp);
    (vmsa.rdi, vmsa.rsi) = (state.rdi, state.rsi);
    vmsa.g_pat = reset::PAT;
    vmsa.xcr0 = reset::XCR0;
    (vmsa.mxcsr, vmsa.x87_fcw) = (reset::MXCSR, reset::X87_CONTROL_WORD);
    vmsa.sev_features = features;
    vmsa
}
