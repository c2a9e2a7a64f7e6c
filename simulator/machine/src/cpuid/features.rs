//! Feature bits that a guest may see, by leaf and register.
//!
//! A set names every bit that is passed on if the physical processor has it;
//! `NEEDS_XSAVE` are those that go when XSAVE goes, `ALWAYS` those that the
//! platform provides itself. What no set names is removed [APM 24594 appendix
//! E].

use bitflags::bitflags;

bitflags! {
    /// Leaf 1, ECX.
    #[derive(Clone, Copy)]
    pub(super) struct Leaf1Ecx: u32 {
        const SSE3 = 1 << 0;
        const PCLMULQDQ = 1 << 1;
        const SSSE3 = 1 << 9;
        const FMA = 1 << 12;
        const CMPXCHG16B = 1 << 13;
        const SSE41 = 1 << 19;
        const SSE42 = 1 << 20;
        const X2APIC = 1 << 21;
        const MOVBE = 1 << 22;
        const POPCNT = 1 << 23;
        const TSC_DEADLINE = 1 << 24;
        const AES = 1 << 25;
        const XSAVE = 1 << 26;
        const AVX = 1 << 28;
        const F16C = 1 << 29;
        const RDRAND = 1 << 30;
        const HYPERVISOR = 1 << 31;
    }

    /// Leaf 1, EDX; the bits below 24, apart from `SYSENTER`, also stand in
    /// leaf 0x8000_0001, EDX.
    #[derive(Clone, Copy)]
    pub(super) struct Leaf1Edx: u32 {
        const FPU = 1 << 0;
        const VME = 1 << 1;
        const DE = 1 << 2;
        const PSE = 1 << 3;
        const TSC = 1 << 4;
        const MSR = 1 << 5;
        const PAE = 1 << 6;
        const MCE = 1 << 7;
        const CMPXCHG8B = 1 << 8;
        const APIC = 1 << 9;
        const SYSENTER = 1 << 11;
        const MTRR = 1 << 12;
        const PGE = 1 << 13;
        const MCA = 1 << 14;
        const CMOV = 1 << 15;
        const PAT = 1 << 16;
        const PSE36 = 1 << 17;
        const CLFLUSH = 1 << 19;
        const MMX = 1 << 23;
        const FXSR = 1 << 24;
        const SSE = 1 << 25;
        const SSE2 = 1 << 26;
        /// More than one core: the topology says so, not the processor.
        const HTT = 1 << 28;
    }

    /// Leaf 7, subleaf 0, EBX.
    #[derive(Clone, Copy)]
    pub(super) struct Leaf7Ebx: u32 {
        const FSGSBASE = 1 << 0;
        const BMI1 = 1 << 3;
        const AVX2 = 1 << 5;
        const SMEP = 1 << 7;
        const BMI2 = 1 << 8;
        const ERMS = 1 << 9;
        const INVPCID = 1 << 10;
        const RDSEED = 1 << 18;
        const ADX = 1 << 19;
        const SMAP = 1 << 20;
        const CLFLUSHOPT = 1 << 23;
        const CLWB = 1 << 24;
        const SHA = 1 << 29;
    }

    /// Leaf 7, subleaf 0, ECX.
    #[derive(Clone, Copy)]
    pub(super) struct Leaf7Ecx: u32 {
        const UMIP = 1 << 2;
        const PKU = 1 << 3;
        const GFNI = 1 << 8;
        const VAES = 1 << 9;
        const VPCLMULQDQ = 1 << 10;
        const LA57 = 1 << 16;
        const RDPID = 1 << 22;
    }

    /// Leaf 7, subleaf 0, EDX.
    #[derive(Clone, Copy)]
    pub(super) struct Leaf7Edx: u32 {
        const FSRM = 1 << 4;
    }

    /// Leaf 7, subleaf 1, EAX.
    #[derive(Clone, Copy)]
    pub(super) struct Leaf71Eax: u32 {
        const FZRM = 1 << 10;
        const FSRS = 1 << 11;
        const FSRC = 1 << 12;
    }

    /// Leaf 0xd, subleaf 1, EAX.
    #[derive(Clone, Copy, Debug)]
    pub(super) struct LeafD1Eax: u32 {
        const XSAVEOPT = 1 << 0;
        const XSAVEC = 1 << 1;
        const XGETBV1 = 1 << 2;
    }

    /// Leaf 0x8000_0001, ECX.
    #[derive(Clone, Copy)]
    pub(super) struct ExtendedEcx: u32 {
        const LAHF = 1 << 0;
        /// More than one core, as `HTT`.
        const CMP_LEGACY = 1 << 1;
        const ALT_MOV_CR8 = 1 << 4;
        const ABM = 1 << 5;
        const SSE4A = 1 << 6;
        const MISALIGNED_SSE = 1 << 7;
        const PREFETCH = 1 << 8;
        const TOPOLOGY_EXTENSIONS = 1 << 22;
    }

    /// Leaf 0x8000_0001, EDX, what is not in leaf 1.
    #[derive(Clone, Copy)]
    pub(super) struct ExtendedEdx: u32 {
        const SYSCALL = 1 << 11;
        const NX = 1 << 20;
        const MMX_EXTENSIONS = 1 << 22;
        const FFXSR = 1 << 25;
        const PAGE_1G = 1 << 26;
        const RDTSCP = 1 << 27;
        const LONG_MODE = 1 << 29;
    }

    /// Leaf 0x8000_0008, EBX.
    #[derive(Clone, Copy)]
    pub(super) struct AddressesEbx: u32 {
        const CLZERO = 1 << 0;
        const XSAVE_ERROR_POINTER = 1 << 2;
        const INVLPGB = 1 << 3;
        const WBNOINVD = 1 << 9;
    }

    /// Leaf 0x8000_0021, EAX. The emulator serializes on LFENCE and clears a
    /// segment's base on a null selector; it has no switches to change that.
    #[derive(Clone, Copy)]
    pub(super) struct Extended2Eax: u32 {
        const LFENCE_SERIALIZES = 1 << 2;
        const NULL_SELECTOR_CLEARS_BASE = 1 << 6;
    }
}

impl Leaf1Ecx {
    pub(super) const NEEDS_XSAVE: Self =
        Self::FMA.union(Self::XSAVE).union(Self::AVX).union(Self::F16C);
    pub(super) const ALWAYS: Self = Self::X2APIC.union(Self::TSC_DEADLINE).union(Self::HYPERVISOR);
    /// `OSXSAVE`: for the guest to add. Not passed on.
    pub(super) const OSXSAVE: u32 = 1 << 27;
}

impl Leaf1Edx {
    /// The bits that leaf 0x8000_0001, EDX, repeats.
    pub(super) const REPEATED: Self =
        Self::from_bits_truncate(0x00ff_ffff).union(Self::FXSR).difference(Self::SYSENTER);
}

impl Leaf7Ebx {
    pub(super) const NEEDS_XSAVE: Self = Self::AVX2;
}

impl Leaf7Ecx {
    pub(super) const NEEDS_XSAVE: Self = Self::PKU.union(Self::VAES).union(Self::VPCLMULQDQ);
    /// `OSPKE`: for the guest to add. Not passed on.
    pub(super) const OSPKE: u32 = 1 << 4;
}

impl AddressesEbx {
    pub(super) const NEEDS_XSAVE: Self = Self::XSAVE_ERROR_POINTER;
}

/// Leaf 6, EAX, `ARAT`: the local APIC's timer runs in every power state.
pub(super) const ARAT: u32 = 1 << 2;

/// Leaf 0x8000_0007, EDX, `TscInvariant`: there are no power states that could
/// change the counter's rate.
pub(super) const INVARIANT_TSC: u32 = 1 << 8;
