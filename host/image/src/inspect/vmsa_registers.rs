//! The registers of a VMSA, the start state of an SEV-SNP processor.
//!
//! The list is complete: two VMSAs have equal lists if and only if they are
//! equal.

use igvm::snp_defs::{SevSelector, SevVmsa};
use zerocopy::IntoBytes;

use super::register::Register;

/// The registers of a VMSA, in the order of [APM 24593 table B-4].
pub(super) fn of_vmsa(vmsa: &SevVmsa) -> Vec<Register> {
    let mut registers = vec![
        Register::new("RIP", vmsa.rip),
        Register::new("RFLAGS", vmsa.rflags),
        Register::new("CR0", vmsa.cr0),
        Register::new("CR2", vmsa.cr2),
        Register::new("CR3", vmsa.cr3),
        Register::new("CR4", vmsa.cr4),
        Register::new("EFER", vmsa.efer),
        Register::new("XCR0", vmsa.xcr0),
        Register::new("SEV_FEATURES", vmsa.sev_features.into()),
        Register::new("VMPL", vmsa.vmpl.into()),
        Register::new("CPL", vmsa.cpl.into()),
        Register::new("VIRTUAL_TOM", vmsa.virtual_tom),
    ];
    registers.extend(vmsa_segments(vmsa));
    registers.extend(vmsa_general(vmsa));
    registers.extend(vmsa_model_specific(vmsa));
    registers.extend(vmsa_floating_point(vmsa));
    registers.extend(vmsa_reserved(vmsa));
    registers
}

fn vmsa_segments(vmsa: &SevVmsa) -> [Register; 10] {
    let segment =
        |name, s: SevSelector| Register::segment(name, s.selector, s.attrib, s.limit, s.base);
    [
        segment("CS", vmsa.cs),
        segment("DS", vmsa.ds),
        segment("ES", vmsa.es),
        segment("FS", vmsa.fs),
        segment("GS", vmsa.gs),
        segment("SS", vmsa.ss),
        segment("GDTR", vmsa.gdtr).without_meaning(),
        segment("IDTR", vmsa.idtr).without_meaning(),
        segment("LDTR", vmsa.ldtr),
        segment("TR", vmsa.tr),
    ]
}

fn vmsa_general(vmsa: &SevVmsa) -> [Register; 16] {
    [
        Register::new("RAX", vmsa.rax),
        Register::new("RBX", vmsa.rbx),
        Register::new("RCX", vmsa.rcx),
        Register::new("RDX", vmsa.rdx),
        Register::new("RSI", vmsa.rsi),
        Register::new("RDI", vmsa.rdi),
        Register::new("RBP", vmsa.rbp),
        Register::new("RSP", vmsa.rsp),
        Register::new("R8", vmsa.r8),
        Register::new("R9", vmsa.r9),
        Register::new("R10", vmsa.r10),
        Register::new("R11", vmsa.r11),
        Register::new("R12", vmsa.r12),
        Register::new("R13", vmsa.r13),
        Register::new("R14", vmsa.r14),
        Register::new("R15", vmsa.r15),
    ]
}

fn vmsa_model_specific(vmsa: &SevVmsa) -> Vec<Register> {
    vec![
        Register::new("DR0", vmsa.dr0),
        Register::new("DR1", vmsa.dr1),
        Register::new("DR2", vmsa.dr2),
        Register::new("DR3", vmsa.dr3),
        Register::new("DR6", vmsa.dr6),
        Register::new("DR7", vmsa.dr7),
        Register::new("DR0_ADDR_MASK", vmsa.dr0_addr_mask),
        Register::new("DR1_ADDR_MASK", vmsa.dr1_addr_mask),
        Register::new("DR2_ADDR_MASK", vmsa.dr2_addr_mask),
        Register::new("DR3_ADDR_MASK", vmsa.dr3_addr_mask),
        Register::new("PAT", vmsa.pat),
        Register::new("STAR", vmsa.star),
        Register::new("LSTAR", vmsa.lstar),
        Register::new("CSTAR", vmsa.cstar),
        Register::new("SFMASK", vmsa.sfmask),
        Register::new("KERNEL_GS_BASE", vmsa.kernel_gs_base),
        Register::new("SYSENTER_CS", vmsa.sysenter_cs),
        Register::new("SYSENTER_ESP", vmsa.sysenter_esp),
        Register::new("SYSENTER_EIP", vmsa.sysenter_eip),
        Register::new("XSS", vmsa.xss),
        Register::new("PL0_SSP", vmsa.pl0_ssp),
        Register::new("PL1_SSP", vmsa.pl1_ssp),
        Register::new("PL2_SSP", vmsa.pl2_ssp),
        Register::new("PL3_SSP", vmsa.pl3_ssp),
        Register::new("U_CET", vmsa.u_cet),
        Register::new("S_CET", vmsa.s_cet),
        Register::new("SSP", vmsa.ssp),
        Register::new("ISST_ADDR", vmsa.interrupt_ssp_table_addr),
        Register::new("DBGCTL", vmsa.dbgctl),
        Register::new("BR_FROM", vmsa.last_branch_from_ip),
        Register::new("BR_TO", vmsa.last_branch_to_ip),
        Register::new("LAST_EXCP_FROM", vmsa.last_excp_from_ip),
        Register::new("LAST_EXCP_TO", vmsa.last_excp_to_ip),
        Register::new("SPEC_CTRL", vmsa.spec_ctrl),
        Register::new("GUEST_EXITINFO1", vmsa.exit_info1),
        Register::new("GUEST_EXITINFO2", vmsa.exit_info2),
        Register::new("GUEST_EXITINTINFO", vmsa.exit_int_info),
        Register::new("GUEST_NRIP", vmsa.next_rip),
        Register::new("VINTR_CTRL", vmsa.v_intr_cntrl.0),
        Register::new("GUEST_EXIT_CODE", vmsa.guest_error_code),
        Register::new("TLB_ID", vmsa.tlb_id),
        Register::new("PCPU_ID", vmsa.pcpu_id),
        Register::new("EVENT_INJ", vmsa.event_inject.0),
    ]
}

fn vmsa_floating_point(vmsa: &SevVmsa) -> Vec<Register> {
    let x87 = [&vmsa.x87_registers1[..], &vmsa.x87_registers2[..], &vmsa.x87_registers3[..]];
    vec![
        Register::new("MXCSR", vmsa.mxcsr.into()),
        Register::new("X87_FCW", vmsa.x87_fcw.into()),
        Register::new("X87_FSW", vmsa.x87_fsw.into()),
        Register::new("X87_FTW", vmsa.x87_ftw.into()),
        Register::new("X87_FOP", vmsa.x87_op.into()),
        Register::new("X87_CS", vmsa.x87_cs.into()),
        Register::new("X87_DS", vmsa.x87_ds.into()),
        Register::new("X87_RIP", vmsa.x87_rip),
        Register::new("X87_DP", vmsa.x87dp),
        Register::bytes("X87", &x87.concat()),
        Register::bytes("XMM", vmsa.xmm_registers.as_bytes()),
        Register::bytes("YMM high halves", vmsa.ymm_registers.as_bytes()),
        Register::bytes("XSAVE_VALID_BITMAP", &vmsa.xsave_valid_bitmap),
    ]
}

/// What the manual reserves, and PKRU and TSC_AUX, which `igvm` counts to it.
fn vmsa_reserved(vmsa: &SevVmsa) -> [Register; 10] {
    [
        Register::bytes("reserved at 0xc8", &vmsa.vmsa_reserved1),
        Register::bytes("reserved at 0xcc", vmsa.vmsa_reserved2.as_bytes()),
        Register::bytes("reserved at 0xd8", vmsa.vmsa_reserved3.as_bytes()),
        Register::bytes("reserved at 0x1c0", vmsa.vmsa_reserved4.as_bytes()),
        Register::bytes("reserved at 0x248", vmsa.vmsa_reserved5.as_bytes()),
        Register::bytes("reserved at 0x298", vmsa.vmsa_reserved6.as_bytes()),
        Register::bytes("PKRU, TSC_AUX and reserved at 0x2e8", vmsa.vmsa_reserved7.as_bytes()),
        Register::bytes("reserved at 0x320", vmsa.vmsa_reserved8.as_bytes()),
        Register::bytes("reserved at 0x380", vmsa.vmsa_reserved9.as_bytes()),
        Register::bytes("reserved at 0x670", &vmsa.vmsa_padding),
    ]
}
