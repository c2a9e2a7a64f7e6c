//! The state save area: the guest's registers in a VMCB.
//!
//! VMRUN loads most of them and an exit stores them; FS, GS, TR, LDTR,
//! `KernelGsBase` and the registers of SYSCALL and SYSENTER are moved by VMLOAD
//! and VMSAVE [APM 24593 §15.5.2]. Other registers (all general-purpose ones but
//! RAX and RSP among them) stay in the processor.

use abi_x86::{Cr0, Cr4, Efer, Rflags, SegmentRegister};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// State save area of a guest whose registers are not encrypted, at offset
/// 0x400 of the VMCB [APM 24593 appendix B, table B-2].
#[derive(Clone, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct SaveArea {
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
    _reserved_0a0: [u8; 0x2b],
    /// Current privilege level.
    pub cpl: u8,
    _reserved_0cc: [u8; 4],
    /// EFER. VMRUN refuses a guest without [`Efer::SVME`].
    pub efer: Efer,
    _reserved_0d8: [u8; 0x70],
    /// CR4.
    pub cr4: Cr4,
    /// CR3.
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
    _reserved_180: [u8; 0x58],
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
    /// The guest's page attribute table, used with nested paging.
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
    _reserved_298: [u8; 0x968],
}

const _: () = assert!(size_of::<SaveArea>() == 0xc00);

/// Asserts offsets of [`SaveArea`] fields at compile time.
macro_rules! assert_offsets {
    ($($offset:literal $field:ident)*) => {
        const _: () = {
            $(assert!(core::mem::offset_of!(SaveArea, $field) == $offset);)*
        };
    };
}

assert_offsets! {
    0x000 es 0x010 cs 0x020 ss 0x030 ds 0x040 fs 0x050 gs
    0x060 gdtr 0x070 ldtr 0x080 idtr 0x090 tr 0x0cb cpl 0x0d0 efer
    0x148 cr4 0x150 cr3 0x158 cr0 0x160 dr7 0x168 dr6 0x170 rflags 0x178 rip
    0x1d8 rsp 0x1e0 s_cet 0x1e8 ssp 0x1f0 isst_address 0x1f8 rax
    0x200 star 0x208 lstar 0x210 cstar 0x218 sfmask 0x220 kernel_gs_base
    0x228 sysenter_cs 0x230 sysenter_esp 0x238 sysenter_eip 0x240 cr2
    0x268 g_pat 0x270 dbgctl 0x278 br_from 0x280 br_to
    0x288 last_excp_from 0x290 last_excp_to
}
