//! A physical processor and a machine, for tests.

use core::num::NonZero;

use abi_snp::{ProcessorModel, SevFeatures};

use crate::cpuid::facts::{CpuidFacts, CpuidPolicy, TranslationBroadcast};
use crate::cpuid::physical::CpuidResult;

/// A processor that has everything: all feature bits are ones, and beyond the
/// greatest leaf it repeats rubbish. State components are laid out as on AMD's
/// processors with AVX-512.
pub(crate) fn physical_cpuid(leaf: u32, subleaf: u32) -> CpuidResult {
    let result = |eax, ebx, ecx, edx| CpuidResult { eax, ebx, ecx, edx };
    match (leaf, subleaf) {
        (0, _) => result(0xd, 0x756e_6547, 0x6c65_746e, 0x4965_6e69),
        (1, _) => result(0x0006_0fb1, 0xff12_08ff, u32::MAX, u32::MAX),
        (7, 0) => result(1, u32::MAX, u32::MAX, u32::MAX),
        (0xd, 0) => result(0x2ff, 0x240, 0xa88, 0xffff_ffff),
        (0xd, 1) => result(!2, 0x240, u32::MAX, u32::MAX),
        (0xd, 2) => result(0x100, 0x240, 0, 0),
        (0xd, 9) => result(8, 0xa80, 0, 0),
        (0x8000_0000, _) => result(0x8000_0008, 0, 0, 0),
        (0x8000_0008, _) => result(0x3934, u32::MAX, u32::MAX, u32::MAX),
        _ => result(u32::MAX, u32::MAX, u32::MAX, u32::MAX),
    }
}

/// A machine with four processors and no optional features.
pub(crate) fn facts() -> CpuidFacts {
    CpuidFacts {
        policy: CpuidPolicy::Reduced,
        broadcast: TranslationBroadcast::Missing,
        processor: ProcessorModel { family: 0x19, model: 0x11, stepping: 1 },
        processors: NonZero::new(4).unwrap(),
        c_bit: 51,
        physical_address_reduction: 1,
        features: SevFeatures::SNP_ACTIVE,
    }
}
