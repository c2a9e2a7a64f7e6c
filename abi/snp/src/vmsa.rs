//! The virtual machine save area: a virtual processor's registers.
//!
//! One page, readable by the guest only. The processor loads its state from
//! there when the host runs it and saves it there on every exit. At launch the
//! page is measured, so that the state a guest starts in is part of its
//! identity [APM 24593 appendix B, table B-4].
//!
//! Fields are named and ordered as in that table; reserved ones must be zero
//! and cannot be set. What the table has behind offset 670 (branch records and
//! sampling registers) counts as reserved here.

pub use abi_x86::SegmentRegister;
use abi_x86::{Cr0, Cr4, Efer, Rflags, SegmentAttributes, SegmentSelector, reset};
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout};

use crate::features::SevFeatures;

/// The whole page.
///
/// Registers of a running guest are its secrets, so there is no `Debug`; an
/// image's start state is no secret, and a tool that shows it picks the fields.
#[derive(Clone, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Vmsa {
    /// ES.
    pub es: SegmentRegister,
    /// CS.
    pub cs: SegmentRegister,
    /// SS.
    pub ss: SegmentRegister,
    /// DS.
    pub ds: SegmentRegister,
    /// FS.
    pub fs: SegmentRegister,
    /// GS.
    pub gs: SegmentRegister,
    /// Global descriptor table.
    pub gdtr: SegmentRegister,
    /// Local descriptor table.
    pub ldtr: SegmentRegister,
    /// Interrupt descriptor table.
    pub idtr: SegmentRegister,
    /// Task register.
    pub tr: SegmentRegister,
    /// Shadow stack pointers of privilege levels 0 to 3.
    pub pl_ssp: [u64; 4],
    /// `U_CET`: shadow stacks in user mode.
    pub u_cet: u64,
    _reserved_0c8: [u8; 2],
    /// Virtual machine privilege level, 0 (most privileged) to 3.
    pub vmpl: u8,
    /// Current privilege level.
    pub cpl: u8,
    _reserved_0cc: [u8; 4],
    /// EFER. The processor runs only with [`Efer::SVME`] set.
    pub efer: Efer,
    _reserved_0d8: [u8; 0x68],
    /// XSS.
    pub xss: u64,
    /// CR4.
    pub cr4: Cr4,
    /// CR3; the C-bit is part of it.
    pub cr3: u64,
    /// CR0.
    pub cr0: Cr0,
    /// DR7.
    pub dr7: u64,
    /// DR6.
    pub dr6: u64,
    /// RFLAGS.
    pub rflags: Rflags,
    /// RIP.
    pub rip: u64,
    /// DR0 to DR3; used with [`SevFeatures::DEBUG_SWAP`].
    pub dr: [u64; 4],
    /// Address masks of DR0 to DR3; used with [`SevFeatures::DEBUG_SWAP`].
    pub dr_address_mask: [u64; 4],
    _reserved_1c0: [u8; 0x18],
    /// RSP.
    pub rsp: u64,
    /// `S_CET`: shadow stacks in supervisor mode.
    pub s_cet: u64,
    /// Shadow stack pointer.
    pub ssp: u64,
    /// Address of the table of interrupt shadow stacks.
    pub isst_address: u64,
    /// RAX.
    pub rax: u64,
    /// STAR.
    pub star: u64,
    /// LSTAR.
    pub lstar: u64,
    /// CSTAR.
    pub cstar: u64,
    /// SFMASK.
    pub sfmask: u64,
    /// `KernelGsBase`.
    pub kernel_gs_base: u64,
    /// `SYSENTER_CS`.
    pub sysenter_cs: u64,
    /// `SYSENTER_ESP`.
    pub sysenter_esp: u64,
    /// `SYSENTER_EIP`.
    pub sysenter_eip: u64,
    /// CR2.
    pub cr2: u64,
    _reserved_248: [u8; 0x20],
    /// The guest's page attribute table.
    pub g_pat: u64,
    /// `DBGCTL`.
    pub dbgctl: u64,
    /// Source of the last branch.
    pub br_from: u64,
    /// Target of the last branch.
    pub br_to: u64,
    /// Source of the last exception or interrupt.
    pub last_excp_from: u64,
    /// Target of the last exception or interrupt.
    pub last_excp_to: u64,
    _reserved_298: [u8; 0x48],
    /// `SPEC_CTRL`.
    pub spec_ctrl: u64,
    /// PKRU.
    pub pkru: u32,
    /// `TSC_AUX`.
    pub tsc_aux: u32,
    /// Ratio of the guest's time stamp counter, with
    /// [`SevFeatures::SECURE_TSC`].
    pub guest_tsc_scale: u64,
    /// Offset of the guest's time stamp counter, with
    /// [`SevFeatures::SECURE_TSC`].
    pub guest_tsc_offset: u64,
    /// The mask of [`SevFeatures::VMSA_REGISTER_PROTECTION`].
    pub reg_prot_nonce: u64,
    /// RCX.
    pub rcx: u64,
    /// RDX.
    pub rdx: u64,
    /// RBX.
    pub rbx: u64,
    _reserved_320: u64,
    /// RBP.
    pub rbp: u64,
    /// RSI.
    pub rsi: u64,
    /// RDI.
    pub rdi: u64,
    /// R8.
    pub r8: u64,
    /// R9.
    pub r9: u64,
    /// R10.
    pub r10: u64,
    /// R11.
    pub r11: u64,
    /// R12.
    pub r12: u64,
    /// R13.
    pub r13: u64,
    /// R14.
    pub r14: u64,
    /// R15.
    pub r15: u64,
    _reserved_380: [u8; 0x10],
    /// First word of information about the last automatic exit.
    pub guest_exit_info_1: u64,
    /// Second word of information about the last automatic exit.
    pub guest_exit_info_2: u64,
    /// The event that was being delivered at the last automatic exit.
    pub guest_exit_int_info: u64,
    /// Address of the instruction after the one that exited.
    pub guest_nrip: u64,
    /// What protection the processor runs with.
    pub sev_features: SevFeatures,
    /// Virtual interrupts, with [`SevFeatures::ALTERNATE_INJECTION`]: the bits of
    /// a [`VintrControl`](crate::VintrControl).
    pub vintr_ctrl: u64,
    /// Code of the last automatic exit.
    pub guest_exit_code: u64,
    /// With [`SevFeatures::VIRTUAL_TOM`]: the first address that is not private.
    pub virtual_tom: u64,
    /// The processor's own, for the state of its TLB.
    pub tlb_id: u64,
    /// The processor's own; writing 0 discards cached translations.
    pub pcpu_id: u64,
    /// Event to inject, with [`SevFeatures::ALTERNATE_INJECTION`].
    pub event_inj: u64,
    /// XCR0.
    pub xcr0: u64,
    _reserved_3f0: [u8; 0x10],
    /// Address of the last x87 operand.
    pub x87_dp: u64,
    /// MXCSR.
    pub mxcsr: u32,
    /// x87 tag word.
    pub x87_ftw: u16,
    /// x87 status word.
    pub x87_fsw: u16,
    /// x87 control word.
    pub x87_fcw: u16,
    /// x87 opcode.
    pub x87_fop: u16,
    /// Segment of the last x87 operand.
    pub x87_ds: u16,
    /// Segment of the last x87 instruction.
    pub x87_cs: u16,
    /// Address of the last x87 instruction.
    pub x87_rip: u64,
    /// x87 registers, 10 bytes each.
    pub fpreg_x87: [u8; 0x50],
    /// XMM0 to XMM15.
    pub fpreg_xmm: [u8; 0x100],
    /// The upper halves of YMM0 to YMM15.
    pub fpreg_ymm: [u8; 0x100],
    _reserved_670: [u8; 0x990],
}

impl Vmsa {
    /// A save area of zeros, which no processor starts from: the caller sets
    /// what the start state needs, [`Efer::SVME`] at least.
    #[must_use]
    pub fn zeroed() -> Self {
        Self::new_zeroed()
    }

    /// Sets the state of a processor that is entered in 64-bit mode: paging,
    /// flat segments with these selectors, interrupts off, and what is so after a
    /// reset. Left to the caller are the level and its features, RIP and other
    /// general registers, CR3, GDTR and IDTR.
    ///
    /// CR4.MCE is among it because KVM sets it whatever a save area says (Linux
    /// `svm_set_cr4`): so there is one measurement for all loaders.
    pub fn enter_64_bit_mode(&mut self, code: SegmentSelector, data: SegmentSelector) {
        let flat = |selector, attributes| SegmentRegister {
            selector,
            attributes,
            limit: u32::MAX,
            base: 0,
        };
        let data = flat(data, SegmentAttributes::DATA);
        self.cs = flat(code, SegmentAttributes::CODE_64);
        (self.ds, self.es, self.ss, self.fs, self.gs) = (data, data, data, data, data);
        let system = |attributes| SegmentRegister {
            selector: SegmentSelector::NULL,
            attributes,
            limit: reset::TABLE_LIMIT,
            base: 0,
        };
        self.ldtr = system(SegmentAttributes::LDT);
        self.tr = system(SegmentAttributes::TSS_BUSY);
        // Every SNP save area has SVME set, or VMRUN refuses it.
        self.efer = Efer::SVME | Efer::LME | Efer::LMA | Efer::NXE;
        self.cr0 = Cr0::PG | Cr0::WP | Cr0::NE | Cr0::ET | Cr0::PE;
        self.cr4 = Cr4::PAE | Cr4::MCE;
        self.rflags = Rflags::FIXED;
        (self.dr6, self.dr7) = (reset::DR6, reset::DR7);
        self.g_pat = reset::PAT;
        self.xcr0 = reset::XCR0;
        (self.mxcsr, self.x87_fcw) = (reset::MXCSR, reset::X87_CONTROL_WORD);
    }
}

const _: () = assert!(size_of::<Vmsa>() == 0x1000);

/// Asserts offsets of [`Vmsa`] fields at compile time.
macro_rules! assert_offsets {
    ($($offset:literal $field:ident)*) => {
        const _: () = {
            $(assert!(core::mem::offset_of!(Vmsa, $field) == $offset);)*
        };
    };
}

assert_offsets! {
    0x000 es 0x010 cs 0x020 ss 0x030 ds 0x040 fs 0x050 gs
    0x060 gdtr 0x070 ldtr 0x080 idtr 0x090 tr
    0x0a0 pl_ssp 0x0c0 u_cet 0x0ca vmpl 0x0cb cpl 0x0d0 efer
    0x140 xss 0x148 cr4 0x150 cr3 0x158 cr0 0x160 dr7 0x168 dr6 0x170 rflags 0x178 rip
    0x180 dr 0x1a0 dr_address_mask
    0x1d8 rsp 0x1e0 s_cet 0x1e8 ssp 0x1f0 isst_address 0x1f8 rax
    0x200 star 0x208 lstar 0x210 cstar 0x218 sfmask 0x220 kernel_gs_base
    0x228 sysenter_cs 0x230 sysenter_esp 0x238 sysenter_eip 0x240 cr2
    0x268 g_pat 0x270 dbgctl 0x278 br_from 0x280 br_to
    0x288 last_excp_from 0x290 last_excp_to
    0x2e0 spec_ctrl 0x2e8 pkru 0x2ec tsc_aux
    0x2f0 guest_tsc_scale 0x2f8 guest_tsc_offset 0x300 reg_prot_nonce
    0x308 rcx 0x310 rdx 0x318 rbx 0x328 rbp 0x330 rsi 0x338 rdi
    0x340 r8 0x348 r9 0x350 r10 0x358 r11 0x360 r12 0x368 r13 0x370 r14 0x378 r15
    0x390 guest_exit_info_1 0x398 guest_exit_info_2 0x3a0 guest_exit_int_info
    0x3a8 guest_nrip 0x3b0 sev_features 0x3b8 vintr_ctrl 0x3c0 guest_exit_code
    0x3c8 virtual_tom 0x3d0 tlb_id 0x3d8 pcpu_id 0x3e0 event_inj 0x3e8 xcr0
    0x400 x87_dp 0x408 mxcsr 0x40c x87_ftw 0x40e x87_fsw 0x410 x87_fcw 0x412 x87_fop
    0x414 x87_ds 0x416 x87_cs 0x418 x87_rip
    0x420 fpreg_x87 0x470 fpreg_xmm 0x570 fpreg_ymm 0x670 _reserved_670
}

#[cfg(test)]
mod tests;
