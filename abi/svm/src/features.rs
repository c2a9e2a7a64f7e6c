//! What a processor's SVM can do, and the register that can lock it.

use core::fmt;

/// CPUID 8000_000A, EDX: features of SVM [APM 24593 §15.4],
/// [APM 24594 appendix E.4.9].
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SvmFeatures(u32);

bitflags::bitflags! {
    impl SvmFeatures: u32 {
        /// Nested paging.
        const NESTED_PAGING = 1 << 0;
        /// Branch record virtualisation.
        const LBR_VIRTUALIZATION = 1 << 1;
        /// `SVM_LOCK`.
        const LOCK = 1 << 2;
        /// The address of the next instruction is saved at exits.
        const NEXT_RIP_SAVE = 1 << 3;
        /// Control of the time stamp counter's rate.
        const TSC_RATE = 1 << 4;
        /// Clean bits of the VMCB.
        const CLEAN_BITS = 1 << 5;
        /// TLB flushes by address space.
        const FLUSH_BY_ASID = 1 << 6;
        /// Decode assists: instruction bytes and register numbers at exits.
        const DECODE_ASSISTS = 1 << 7;
        /// PAUSE intercept filter.
        const PAUSE_FILTER = 1 << 10;
        /// PAUSE filter threshold.
        const PAUSE_FILTER_THRESHOLD = 1 << 12;
        /// Advanced virtual interrupt controller.
        const AVIC = 1 << 13;
        /// VMLOAD and VMSAVE in guests.
        const VIRTUAL_VMLOAD = 1 << 15;
        /// Virtual global interrupt flag.
        const VIRTUAL_GIF = 1 << 16;
        /// VMRUN, VMLOAD and VMSAVE check their operand's address.
        const ADDRESS_CHECK = 1 << 28;
    }
}

impl fmt::Display for SvmFeatures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        bitflags::parser::to_writer(self, f)
    }
}

impl fmt::Debug for SvmFeatures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SvmFeatures({self})")
    }
}

/// The register [`Msr::VM_CR`](abi_x86::Msr::VM_CR) [APM 24593 §15.30.1].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VmCr(u64);

bitflags::bitflags! {
    impl VmCr: u64 {
        /// EFER.SVME reads as zero and cannot be set.
        const SVM_DISABLED = 1 << 4;
    }
}
