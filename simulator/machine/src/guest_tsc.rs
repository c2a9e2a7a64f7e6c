//! The time stamp counter of a guest with Secure TSC.
//!
//! It is the processor's, times a factor, plus an offset, and both numbers are in
//! the save area: what a hypervisor sets for its other guests has no effect
//! [APM 24593 §15.36.18]. The security processor fills them in for the first
//! processor, and tells a guest that asks for others.

use core::num::NonZero;

use abi_snp::{SevFeatures, Vmsa};

/// Bits behind the point of `GUEST_TSC_SCALE`; there are 8 before it
/// [APM 24593 §15.36.18].
const FRACTION_BITS: u32 = 32;
/// The bits that `GUEST_TSC_SCALE` has. That a processor takes no notice of
/// others is from memory.
const SCALE_MASK: u64 = (1 << (FRACTION_BITS + 8)) - 1;
/// A scale of 1.
const ONE: u64 = 1 << FRACTION_BITS;

/// How a guest's time stamp counter follows from the processor's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuestTsc {
    scale: u64,
    offset: u64,
}

impl GuestTsc {
    /// The processor's counter as it is: that of a guest without Secure TSC.
    pub const PROCESSOR: Self = Self { scale: ONE, offset: 0 };

    /// The counter of who runs with `vmsa`.
    #[must_use]
    pub const fn of(vmsa: &Vmsa) -> Self {
        if !vmsa.sev_features.contains(SevFeatures::SECURE_TSC) {
            return Self::PROCESSOR;
        }
        Self { scale: vmsa.guest_tsc_scale & SCALE_MASK, offset: vmsa.guest_tsc_offset }
    }

    /// The value when the processor's is `ticks`.
    #[must_use]
    pub const fn at(self, ticks: u64) -> u64 {
        let scaled = (ticks as u128 * self.scale as u128) >> FRACTION_BITS;
        // A register of 64 bits, which goes round.
        (scaled as u64).wrapping_add(self.offset)
    }

    /// What is added to the processor's counter, if that is all.
    #[must_use]
    pub const fn offset_alone(self) -> Option<u64> {
        if self.scale == ONE { Some(self.offset) } else { None }
    }

    /// `GUEST_TSC_FREQ`: the nominal frequency in MHz, if the processor's counter
    /// has one of `nominal_khz`.
    #[must_use]
    pub const fn megahertz(self, nominal_khz: u32) -> u64 {
        let khz = (nominal_khz as u128 * self.scale as u128) >> FRACTION_BITS;
        (khz / 1000) as u64
    }
}

/// Frequency of a processor's time stamp counter, as its firmware tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TscFrequency {
    /// The nominal one: a whole number of MHz, not below the real one.
    pub nominal_khz: u32,
    /// `TSC_FACTOR`: by how many hundred-thousandths the real one is lower
    /// [SNP ABI 56860 §7.9].
    pub factor: u32,
}

impl TscFrequency {
    /// What is told of a counter that makes so many ticks in a second.
    #[must_use]
    pub const fn of(hertz: u64) -> Self {
        let megahertz = hertz.div_ceil(1_000_000);
        let missing = megahertz * 1_000_000 - hertz;
        // Less than a MHz is missing, so the factor is one below 1.
        let factor = match (missing / 10).checked_div(megahertz) {
            Some(factor) => factor as u32,
            None => 0,
        };
        Self { nominal_khz: (megahertz * 1000) as u32, factor }
    }
}

/// The scale that makes `desired_khz` of `nominal_khz`, rounded up. Without a
/// desired frequency it is 1.
pub(crate) fn scale(desired_khz: Option<NonZero<u32>>, nominal_khz: u32) -> u64 {
    let (Some(desired), Some(nominal)) = (desired_khz, NonZero::new(nominal_khz)) else {
        return ONE;
    };
    // 32 bits moved up by 32 fit.
    let ratio = (u64::from(desired.get()) << FRACTION_BITS).div_ceil(u64::from(nominal.get()));
    ratio & SCALE_MASK
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn counter(scale: u64, offset: u64) -> GuestTsc {
        let mut vmsa = Vmsa::zeroed();
        vmsa.sev_features = SevFeatures::SNP_ACTIVE | SevFeatures::SECURE_TSC;
        (vmsa.guest_tsc_scale, vmsa.guest_tsc_offset) = (scale, offset);
        GuestTsc::of(&vmsa)
    }

    #[test]
    fn scale_is_the_ratio() {
        let scale = |desired, nominal| super::scale(NonZero::new(desired), nominal);
        assert_eq!(scale(0, 2_000_000), 1 << 32);
        assert_eq!(scale(2_000_000, 2_000_000), 1 << 32);
        assert_eq!(scale(3_000_000, 2_000_000), 3 << 31);
        assert_eq!(scale(1, 3), 0x5555_5556);
        assert_eq!(scale(u32::MAX, 1), 0xff << 32);
        assert_eq!(scale(1_000_000, 0), 1 << 32);
    }

    #[test]
    fn scaled_first_then_moved() {
        assert_eq!(counter(ONE, 0), GuestTsc::PROCESSOR);
        assert_eq!(counter(3 << 31, 5).at(1000), 1505);
        assert_eq!(counter(2 * ONE, u64::MAX).at(u64::MAX), u64::MAX - 2);
        assert_eq!(counter(0, 7).at(u64::MAX), 7);
        // Bits that the register lacks.
        assert_eq!(counter(1 << 40 | ONE, 0), GuestTsc::PROCESSOR);
        assert_eq!(counter(ONE, 9).offset_alone(), Some(9));
        assert_eq!(counter(ONE + 1, 9).offset_alone(), None);
    }

    #[test]
    fn without_the_feature_the_save_area_does_not_count() {
        let mut vmsa = Vmsa::zeroed();
        vmsa.sev_features = SevFeatures::SNP_ACTIVE;
        (vmsa.guest_tsc_scale, vmsa.guest_tsc_offset) = (7, 8);
        assert_eq!(GuestTsc::of(&vmsa), GuestTsc::PROCESSOR);
    }

    #[test]
    fn frequencies_are_in_megahertz() {
        assert_eq!(GuestTsc::PROCESSOR.megahertz(2_600_000), 2600);
        assert_eq!(counter(3 << 31, 99).megahertz(2_000_000), 3000);
        let told = |hertz| {
            let TscFrequency { nominal_khz, factor } = TscFrequency::of(hertz);
            (nominal_khz, factor)
        };
        assert_eq!(told(2_600_000_000), (2_600_000, 0));
        // 2599.5 is 19.2 hundred-thousandths below 2600.
        assert_eq!(told(2_599_500_000), (2_600_000, 19));
        assert_eq!(told(1), (1_000, 99_999));
        assert_eq!(told(0), (0, 0));
    }

    proptest! {
        #[test]
        fn guests_compute_the_real_frequency(hertz in 100_000_000_u64..6_000_000_000) {
            let TscFrequency { nominal_khz, factor } = TscFrequency::of(hertz);
            // As Linux does it [Linux arch/x86/coco/sev/core.c, snp_secure_tsc_init].
            let megahertz = GuestTsc::PROCESSOR.megahertz(nominal_khz);
            let khz = megahertz * 1000 - megahertz * 1000 * u64::from(factor) / 100_000;
            let error = khz.abs_diff(hertz / 1000);
            prop_assert!(error <= hertz / 1000 / 100_000 + 2, "{khz} kHz of {hertz} Hz");
        }
    }
}
