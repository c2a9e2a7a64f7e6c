//! What the processor below says, read once.

/// What CPUID leaves in the registers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct CpuidResult {
    /// EAX.
    pub eax: u32,
    /// EBX.
    pub ebx: u32,
    /// ECX.
    pub ecx: u32,
    /// EDX.
    pub edx: u32,
}

impl CpuidResult {
    /// What AMD processors say about leaves that they do not have.
    pub(super) const ZERO: Self = Self { eax: 0, ebx: 0, ecx: 0, edx: 0 };
}

/// The leaves of the physical processor that answers are made of.
#[derive(Clone, Debug)]
pub(super) struct Physical {
    pub(super) version: CpuidResult,
    pub(super) features_7: CpuidResult,
    pub(super) features_7_1: CpuidResult,
    pub(super) extended_state: CpuidResult,
    pub(super) extended_state_features: CpuidResult,
    pub(super) avx_state: CpuidResult,
    pub(super) protection_keys_state: CpuidResult,
    pub(super) extended_features: CpuidResult,
    pub(super) name: [CpuidResult; 3],
    pub(super) caches: [CpuidResult; 2],
    pub(super) addresses: CpuidResult,
}

impl Physical {
    /// Reads them with `cpuid`, which takes leaf and subleaf.
    ///
    /// Leaves beyond the greatest that the processor has are zero, whatever
    /// `cpuid` says about them: some processors repeat another leaf there.
    pub(super) fn read(mut cpuid: impl FnMut(u32, u32) -> CpuidResult) -> Self {
        const EXTENDED: u32 = 0x8000_0000;

        let greatest_basic = cpuid(0, 0).eax;
        let greatest_extended = cpuid(EXTENDED, 0).eax;
        let mut leaf = |leaf, subleaf| {
            let greatest = if leaf < EXTENDED { greatest_basic } else { greatest_extended };
            if leaf <= greatest { cpuid(leaf, subleaf) } else { CpuidResult::ZERO }
        };
        let features_7 = leaf(7, 0);
        let has_subleaf_1 = features_7.eax >= 1;
        Self {
            version: leaf(1, 0),
            features_7,
            features_7_1: if has_subleaf_1 { leaf(7, 1) } else { CpuidResult::ZERO },
            extended_state: leaf(0xd, 0),
            extended_state_features: leaf(0xd, 1),
            avx_state: leaf(0xd, 2),
            protection_keys_state: leaf(0xd, 9),
            extended_features: leaf(0x8000_0001, 0),
            name: [0x8000_0002, 0x8000_0003, 0x8000_0004].map(|number| leaf(number, 0)),
            caches: [0x8000_0005, 0x8000_0006].map(|number| leaf(number, 0)),
            addresses: leaf(0x8000_0008, 0),
        }
    }
}
