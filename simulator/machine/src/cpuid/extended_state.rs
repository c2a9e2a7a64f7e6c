//! Leaf 0xd: which state XSAVE saves, where, and how much space that takes.
//!
//! Sizes depend on XCR0 and XSS of whoever asks. They are computed from the
//! sizes of the components, because the physical processor would answer for
//! the registers that it happens to have [APM 24594 appendix E, function 0000_000Dh;
//! APM 24593 §11.5].

use crate::cpuid::facts::CpuidPolicy;
use crate::cpuid::features::LeafD1Eax;
use crate::cpuid::physical::{CpuidResult, Physical};

/// x87 and SSE, whose place is the first 512 bytes.
const LEGACY: u64 = 3;
const AVX: u32 = 2;
const PROTECTION_KEYS: u32 = 9;

/// Bytes of the legacy region and the header behind it.
const LEGACY_BYTES: u32 = 0x240;

/// ECX bit 1 of a component: aligned to 64 bytes when compacted.
const ALIGNED: u32 = 1 << 1;

/// The components that the guest may have, and the instructions for them.
#[derive(Clone, Debug)]
pub(super) struct ExtendedState {
    /// By number: size in EAX, offset in EBX, [`ALIGNED`] in ECX.
    components: [(u32, CpuidResult); 2],
    /// What XCR0 can hold.
    supported: u64,
    features: LeafD1Eax,
}

impl ExtendedState {
    /// What the physical processor has and the platform passes on by a policy
    /// that has XSAVE.
    pub(super) fn new(physical: &Physical, policy: CpuidPolicy) -> Self {
        let components =
            [(AVX, physical.avx_state), (PROTECTION_KEYS, physical.protection_keys_state)];
        let mut mask = components.iter().fold(LEGACY, |mask, (number, _)| mask | 1 << number);
        let mut features = LeafD1Eax::from_bits_truncate(physical.extended_state_features.eax);
        features.set(LeafD1Eax::XSAVEC, policy == CpuidPolicy::Full);
        if policy != CpuidPolicy::Full {
            mask &= !(1 << PROTECTION_KEYS);
        }
        Self { components, supported: u64::from(physical.extended_state.eax) & mask, features }
    }

    /// The leaf for a guest whose registers are `xcr0` and `xss`. Components
    /// that it does not have count for nothing.
    pub(super) fn leaf_d(&self, subleaf: u32, xcr0: u64, xss: u64) -> CpuidResult {
        match subleaf {
            0 => CpuidResult {
                eax: self.supported as u32,
                ebx: self.standard_size(xcr0),
                ecx: self.standard_size(self.supported),
                edx: (self.supported >> 32) as u32,
            },
            // No component is the supervisor's: ECX and EDX are zero.
            1 => CpuidResult {
                eax: self.features.bits(),
                ebx: self.compacted_size(xcr0 | xss),
                ecx: 0,
                edx: 0,
            },
            number => self
                .enabled(self.supported)
                .find(|(component, _)| *component == number)
                .map_or(CpuidResult::ZERO, |(_, layout)| layout),
        }
    }

    /// The components of which there are bits in `registers`.
    fn enabled(&self, registers: u64) -> impl Iterator<Item = (u32, CpuidResult)> + '_ {
        let wanted = registers & self.supported;
        self.components.iter().copied().filter(move |(number, _)| wanted >> number & 1 != 0)
    }

    fn standard_size(&self, registers: u64) -> u32 {
        self.enabled(registers)
            .map(|(_, layout)| layout.ebx.saturating_add(layout.eax))
            .fold(LEGACY_BYTES, u32::max)
    }

    fn compacted_size(&self, registers: u64) -> u32 {
        self.enabled(registers).fold(LEGACY_BYTES, |size, (_, layout)| {
            let start = if layout.ecx & ALIGNED != 0 {
                size.checked_next_multiple_of(64).unwrap_or(u32::MAX)
            } else {
                size
            };
            start.saturating_add(layout.eax)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpuid::samples::physical_cpuid;

    fn state() -> ExtendedState {
        ExtendedState::new(&Physical::read(physical_cpuid), CpuidPolicy::Full)
    }

    #[test]
    fn sizes_follow_the_registers() {
        let state = state();
        let sizes = |xcr0| (state.leaf_d(0, xcr0, 0).ebx, state.leaf_d(1, xcr0, 0).ebx);
        assert_eq!(sizes(1), (0x240, 0x240));
        assert_eq!(sizes(3), (0x240, 0x240));
        assert_eq!(sizes(7), (0x340, 0x340));
        // The standard format has a hole before the protection keys.
        assert_eq!(sizes(0x207), (0xa88, 0x348));
        assert_eq!(sizes(0x203), (0xa88, 0x248));
        assert_eq!(sizes(u64::MAX), (0xa88, 0x348));
        assert_eq!(state.leaf_d(0, 1, 0).ecx, 0xa88);
    }

    #[test]
    fn compacting_is_offered_and_supervisor_state_is_not() {
        let leaf = state().leaf_d(1, 1, u64::MAX);
        assert_eq!((leaf.eax, leaf.ecx, leaf.edx), (0b111, 0, 0));
    }

    #[test]
    fn without_compacting_there_are_no_keys() {
        let state = ExtendedState::new(&Physical::read(physical_cpuid), CpuidPolicy::Xsave);
        assert_eq!((state.leaf_d(0, 7, 0).eax, state.leaf_d(0, 7, 0).ecx), (7, 0x340));
        assert_eq!(state.leaf_d(1, 7, 0).eax, 0b101);
        assert_eq!(state.leaf_d(9, 7, 0), CpuidResult::ZERO);
    }

    #[test]
    fn only_known_components_have_a_place() {
        let state = state();
        let avx = CpuidResult { eax: 0x100, ebx: 0x240, ecx: 0, edx: 0 };
        assert_eq!(state.leaf_d(2, 0, 0), avx);
        assert_eq!(state.leaf_d(9, 0, 0).eax, 8);
        for number in [3, 4, 5, 8, 10, 62, 63, 64, u32::MAX] {
            assert_eq!(state.leaf_d(number, u64::MAX, 0), CpuidResult::ZERO, "{number}");
        }
    }

    #[test]
    fn sizes_of_a_lying_processor_do_not_overflow() {
        let huge = CpuidResult { eax: u32::MAX, ebx: u32::MAX, ecx: ALIGNED, edx: 0 };
        let state = ExtendedState {
            components: [(AVX, huge), (PROTECTION_KEYS, huge)],
            supported: u64::MAX,
            features: LeafD1Eax::all(),
        };
        assert_eq!(state.leaf_d(0, u64::MAX, 0).ebx, u32::MAX);
        assert_eq!(state.leaf_d(1, u64::MAX, 0).ebx, u32::MAX);
    }
}
