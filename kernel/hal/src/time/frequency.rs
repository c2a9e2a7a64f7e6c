//! Frequencies of the time stamp counter that processor or host tell.

use cpuid_table::Answer;

/// What a counter can run at: below, it would be too coarse to be one; above,
/// there is no processor.
const PLAUSIBLE: core::ops::RangeInclusive<u64> = 100_000_000..=20_000_000_000;

/// `frequency`, if a counter can run at it.
pub(crate) fn plausible(frequency: u64) -> Option<u64> {
    PLAUSIBLE.contains(&frequency).then_some(frequency)
}

/// What leaf 0x15 says [SDM 2A CPUID, leaf 15H]: counts in a second are those of
/// the crystal, in ECX, times EBX divided by EAX.
pub(crate) fn of_core_crystal(leaf: Answer) -> Option<u64> {
    let counts = u64::from(leaf.ecx).checked_mul(u64::from(leaf.ebx))?;
    plausible(counts.checked_div(u64::from(leaf.eax))?)
}

/// What leaf 0x4000_0010 says, as VMware defines it and others have it: EAX is
/// the frequency in kHz.
pub(crate) fn of_hypervisor_leaf(leaf: Answer) -> Option<u64> {
    plausible(u64::from(leaf.eax) * 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crystals() {
        let leaf = |eax, ebx, ecx| of_core_crystal(Answer { eax, ebx, ecx, edx: 0 });
        assert_eq!(leaf(2, 250, 24_000_000), Some(3_000_000_000));
        assert_eq!(leaf(0, 250, 24_000_000), None);
        assert_eq!(leaf(2, 0, 24_000_000), None);
        assert_eq!(leaf(2, 250, 0), None);
        assert_eq!(leaf(1, u32::MAX, u32::MAX), None);
    }

    #[test]
    fn hypervisors() {
        let leaf = |eax| of_hypervisor_leaf(Answer { eax, ..Answer::ZERO });
        assert_eq!(leaf(2_600_000), Some(2_600_000_000));
        assert_eq!(leaf(0), None);
        assert_eq!(leaf(u32::MAX), None);
    }
}
