//! How fast a guest's time stamp counter runs.
//!
//! With Secure TSC the guest's counter is that of the processor times
//! `GUEST_TSC_SCALE`: a fixed-point number with 8 bits before and 32 bits
//! behind the point [APM 24593 §15.36.18].

use core::num::NonZero;

const FRACTION_BITS: u32 = 32;

/// The scale that makes `desired_khz` of `nominal_khz`, rounded up. Without a
/// desired frequency it is 1.
pub(super) fn scale(desired_khz: Option<NonZero<u32>>, nominal_khz: u32) -> u64 {
    let one = 1_u64 << FRACTION_BITS;
    let (Some(desired), Some(nominal)) = (desired_khz, NonZero::new(nominal_khz)) else {
        return one;
    };
    // 32 bits moved up by 32 fit.
    let ratio = (u64::from(desired.get()) << FRACTION_BITS).div_ceil(u64::from(nominal.get()));
    // 8 bits before the point, as the register has.
    ratio & ((one << 8) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
