//! States of virtual processors to test with.

use abi_snp::{SevFeatures, Vmpl, Vmsa};
use abi_x86::{Cr0, Cr4, Efer, Rflags, SegmentAttributes, SegmentRegister, SegmentSelector, reset};

use crate::processor::entry_check::{MODELLED_FEATURES, Offer};
use crate::processor::xsave_image::StateComponents;

/// What the sample platform can do: what the sample states need, and more.
pub(crate) const OFFER: Offer = Offer {
    features: MODELLED_FEATURES,
    cr4: Cr4::PAE.union(Cr4::PGE).union(Cr4::OSFXSR).union(Cr4::OSXSAVE).union(Cr4::CET),
    efer: Efer::LME.union(Efer::LMA).union(Efer::NXE).union(Efer::SCE),
    xcr0: StateComponents::all(),
};

/// A flat segment.
pub(crate) fn segment(selector: u16, attributes: SegmentAttributes) -> SegmentRegister {
    SegmentRegister { selector: SegmentSelector(selector), attributes, limit: u32::MAX, base: 0 }
}

/// A processor in 64-bit mode at `vmpl`, in the kernel.
pub(crate) fn long_mode(vmpl: Vmpl) -> Vmsa {
    let mut vmsa = Vmsa::zeroed();
    vmsa.cs = segment(0x10, SegmentAttributes::CODE_64);
    vmsa.ss = segment(0x18, SegmentAttributes::DATA);
    vmsa.ds = segment(0x18, SegmentAttributes::DATA);
    vmsa.tr = SegmentRegister { limit: 0x67, ..segment(0x40, SegmentAttributes::TSS_BUSY) };
    vmsa.vmpl = vmpl.number();
    vmsa.efer = Efer::SVME | Efer::LME | Efer::LMA;
    vmsa.cr4 = Cr4::PAE;
    vmsa.cr3 = 1 << 51 | 0x1000;
    vmsa.cr0 = Cr0::PG | Cr0::PE | Cr0::WP | Cr0::ET;
    vmsa.dr7 = reset::DR7;
    vmsa.dr6 = reset::DR6;
    vmsa.rflags = Rflags::FIXED;
    vmsa.g_pat = reset::PAT;
    vmsa.sev_features = SevFeatures::SNP_ACTIVE;
    vmsa.xcr0 = reset::XCR0;
    vmsa.mxcsr = reset::MXCSR;
    vmsa.x87_ftw = 0x5555;
    vmsa.x87_fcw = reset::X87_CONTROL_WORD;
    vmsa
}

/// A processor as INIT leaves it, with the start address that a start-up
/// interrupt of vector 0x9a gives it: what Linux asks for.
pub(crate) fn start_up(vmpl: Vmpl) -> Vmsa {
    let code = SegmentAttributes::from_bits_retain(0x9b);
    let data = SegmentAttributes::from_bits_retain(0x93);
    let real = |selector, attributes| SegmentRegister {
        base: u64::from(selector) << 4,
        limit: 0xffff,
        ..segment(selector, attributes)
    };
    let mut vmsa = long_mode(vmpl);
    vmsa.cs = real(0x9a00, code);
    vmsa.ss = real(0, data);
    vmsa.ds = real(0, data);
    vmsa.es = real(0, data);
    vmsa.fs = real(0, data);
    vmsa.gs = real(0, data);
    vmsa.efer = Efer::SVME;
    vmsa.cr4 = Cr4::empty();
    vmsa.cr3 = 0;
    vmsa.cr0 = Cr0::CD | Cr0::NW | Cr0::ET;
    vmsa.x87_fcw = 0x40;
    vmsa
}
