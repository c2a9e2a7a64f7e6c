//! The registers of VP contexts other than a VMSA.
//!
//! The lists are complete: two contexts have equal lists if and only if they
//! are equal.

use igvm::registers::{AArch64Register, SegmentRegister, TableRegister, X86Register};
use igvm_defs::{IgvmNativeVpContextX64, IgvmVpContextAArch64Cca};
use zerocopy::IntoBytes;

use super::register::Register;
use super::segment;

/// The registers of a context for virtual machines without isolation.
pub(super) fn of_native(context: &IgvmNativeVpContextX64) -> Vec<Register> {
    let c = context;
    let segment = |name, selector, attributes, limit, base: u32| {
        Register::segment(
            name,
            selector,
            segment::without_unused_bits(attributes),
            limit,
            base.into(),
        )
    };
    vec![
        Register::new("RIP", c.rip),
        Register::new("RFLAGS", c.rflags),
        Register::new("CR0", c.cr0),
        Register::new("CR3", c.cr3),
        Register::new("CR4", c.cr4),
        Register::new("EFER", c.efer),
        segment("CS", c.code_selector, c.code_attributes, c.code_limit, c.code_base),
        segment("data segments", c.data_selector, c.data_attributes, c.data_limit, c.data_base),
        Register::new("GS_BASE", c.gs_base),
        Register::table("GDTR", c.gdtr_limit.into(), c.gdtr_base),
        Register::table("IDTR", c.idtr_limit.into(), c.idtr_base),
        Register::new("RAX", c.rax),
        Register::new("RBX", c.rbx),
        Register::new("RCX", c.rcx),
        Register::new("RDX", c.rdx),
        Register::new("RSI", c.rsi),
        Register::new("RDI", c.rdi),
        Register::new("RBP", c.rbp),
        Register::new("RSP", c.rsp),
        Register::new("R8", c.r8),
        Register::new("R9", c.r9),
        Register::new("R10", c.r10),
        Register::new("R11", c.r11),
        Register::new("R12", c.r12),
        Register::new("R13", c.r13),
        Register::new("R14", c.r14),
        Register::new("R15", c.r15),
        Register::bytes("reserved", c.reserved.as_bytes()),
        Register::bytes("reserved attribute bits", &reserved_attributes(c)),
    ]
}

/// The unused bits of segment attributes, which [`segment::without_unused_bits`]
/// drops.
fn reserved_attributes(context: &IgvmNativeVpContextX64) -> [u8; 2] {
    let high = |attributes: u16| (attributes >> 8 & 0xf) as u8;
    [high(context.code_attributes), high(context.data_attributes)]
}

/// A register of a context for Hyper-V's virtualization-based security.
pub(super) fn of_x86(register: &X86Register) -> Register {
    let segment = |name, s: &SegmentRegister| {
        Register::segment(
            name,
            s.selector,
            segment::without_unused_bits(s.attributes),
            s.limit,
            s.base,
        )
    };
    let table = |name, t: &TableRegister| Register::table(name, t.limit.into(), t.base);
    let number = |name, value: &u64| Register::new(name, *value);
    match register {
        X86Register::Gdtr(t) => table("GDTR", t),
        X86Register::Idtr(t) => table("IDTR", t),
        X86Register::Ds(s) => segment("DS", s),
        X86Register::Es(s) => segment("ES", s),
        X86Register::Fs(s) => segment("FS", s),
        X86Register::Gs(s) => segment("GS", s),
        X86Register::Ss(s) => segment("SS", s),
        X86Register::Cs(s) => segment("CS", s),
        X86Register::Tr(s) => segment("TR", s),
        X86Register::Cr0(v) => number("CR0", v),
        X86Register::Cr3(v) => number("CR3", v),
        X86Register::Cr4(v) => number("CR4", v),
        X86Register::Efer(v) => number("EFER", v),
        X86Register::Pat(v) => number("PAT", v),
        X86Register::Rbp(v) => number("RBP", v),
        X86Register::Rip(v) => number("RIP", v),
        X86Register::Rsi(v) => number("RSI", v),
        X86Register::Rsp(v) => number("RSP", v),
        X86Register::R8(v) => number("R8", v),
        X86Register::R9(v) => number("R9", v),
        X86Register::R10(v) => number("R10", v),
        X86Register::R11(v) => number("R11", v),
        X86Register::R12(v) => number("R12", v),
        X86Register::Rflags(v) => number("RFLAGS", v),
        X86Register::MtrrDefType(v) => number("MTRR_DEF_TYPE", v),
        X86Register::MtrrPhysBase0(v) => number("MTRR_PHYS_BASE0", v),
        X86Register::MtrrPhysMask0(v) => number("MTRR_PHYS_MASK0", v),
        X86Register::MtrrPhysBase1(v) => number("MTRR_PHYS_BASE1", v),
        X86Register::MtrrPhysMask1(v) => number("MTRR_PHYS_MASK1", v),
        X86Register::MtrrPhysBase2(v) => number("MTRR_PHYS_BASE2", v),
        X86Register::MtrrPhysMask2(v) => number("MTRR_PHYS_MASK2", v),
        X86Register::MtrrPhysBase3(v) => number("MTRR_PHYS_BASE3", v),
        X86Register::MtrrPhysMask3(v) => number("MTRR_PHYS_MASK3", v),
        X86Register::MtrrPhysBase4(v) => number("MTRR_PHYS_BASE4", v),
        X86Register::MtrrPhysMask4(v) => number("MTRR_PHYS_MASK4", v),
        X86Register::MtrrFix64k00000(v) => number("MTRR_FIX64K_00000", v),
        X86Register::MtrrFix16k80000(v) => number("MTRR_FIX16K_80000", v),
        X86Register::MtrrFix4kE0000(v) => number("MTRR_FIX4K_E0000", v),
        X86Register::MtrrFix4kE8000(v) => number("MTRR_FIX4K_E8000", v),
        X86Register::MtrrFix4kF0000(v) => number("MTRR_FIX4K_F0000", v),
        X86Register::MtrrFix4kF8000(v) => number("MTRR_FIX4K_F8000", v),
    }
}

/// A register of a VBS context on AArch64.
pub(super) fn of_aarch64(register: &AArch64Register) -> Register {
    let (name, value) = match register {
        AArch64Register::Pc(v) => ("PC", v),
        AArch64Register::X0(v) => ("X0", v),
        AArch64Register::X1(v) => ("X1", v),
        AArch64Register::X2(v) => ("X2", v),
        AArch64Register::X3(v) => ("X3", v),
        AArch64Register::X4(v) => ("X4", v),
        AArch64Register::X5(v) => ("X5", v),
        AArch64Register::X6(v) => ("X6", v),
        AArch64Register::X7(v) => ("X7", v),
        AArch64Register::Cpsr(v) => ("CPSR", v),
        AArch64Register::SctlrEl1(v) => ("SCTLR_EL1", v),
        AArch64Register::TcrEl1(v) => ("TCR_EL1", v),
        AArch64Register::MairEl1(v) => ("MAIR_EL1", v),
        AArch64Register::VbarEl1(v) => ("VBAR_EL1", v),
        AArch64Register::Ttbr0El1(v) => ("TTBR0_EL1", v),
        AArch64Register::Ttbr1El1(v) => ("TTBR1_EL1", v),
    };
    Register::new(name, *value)
}

/// The registers of a context for Arm CCA.
pub(super) fn of_cca(context: &IgvmVpContextAArch64Cca) -> Vec<Register> {
    vec![
        Register::new("PC", context.pc),
        Register::new("FLAGS", context.flags),
        Register::new("X0", context.x0),
        Register::new("X1", context.x1),
        Register::new("X2", context.x2),
        Register::new("X3", context.x3),
        Register::new("X4", context.x4),
        Register::new("X5", context.x5),
        Register::new("X6", context.x6),
        Register::new("X7", context.x7),
    ]
}
