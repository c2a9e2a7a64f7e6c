//! What the machine decides about the processor that a guest sees.

use core::num::NonZero;

use abi_snp::{ProcessorModel, SevFeatures};

/// How much of the processor below a guest sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum CpuidPolicy {
    /// Without XSAVE and without everything that needs it: AVX, AVX2, FMA,
    /// F16C, PKU, VAES, VPCLMULQDQ. Leaf `0xd` does not exist.
    ///
    /// Linux ends a guest whose CPUID page has XSAVE but neither XSAVEC nor
    /// XSAVES, which no SNP processor lacks and the emulator does.
    #[default]
    Reduced,
    /// All of it, and XSAVEC, which the platform executes in place of the
    /// emulator when that raises `#UD`. XSAVES is not offered.
    Full,
    /// XSAVE and AVX, and what builds on them, as the emulator has them: without
    /// XSAVEC, and without protection keys. Linux ends such a guest.
    Xsave,
}

/// Whether there are INVLPGB and TLBSYNC: the emulated processor has neither.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TranslationBroadcast {
    /// There are not; Linux/KVM shows guests none.
    #[default]
    Missing,
    /// There are.
    Present,
}

/// What [`Cpuid`](crate::cpuid::Cpuid) has to know besides the physical
/// processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CpuidFacts {
    /// How much of the physical processor is shown.
    pub policy: CpuidPolicy,
    /// Whether INVLPGB and TLBSYNC exist.
    pub broadcast: TranslationBroadcast,
    /// What the processor says it is: a family that has SEV-SNP, 0x19 or
    /// 0x1a. The same as in attestation reports.
    pub processor: ProcessorModel,
    /// How many virtual processors there are. Their x2APIC identifiers are 0
    /// to one less.
    pub processors: NonZero<u8>,
    /// The bit of a page-table entry that makes a page private, 32 to 63.
    pub c_bit: u8,
    /// How many bits of physical address memory encryption takes away.
    pub physical_address_reduction: u8,
    /// Features that a VMSA may ask for.
    pub features: SevFeatures,
}
