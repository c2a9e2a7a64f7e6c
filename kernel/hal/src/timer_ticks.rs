//! From nanoseconds to ticks of a timer.

/// How fast a timer runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimerTicks {
    /// Ticks of a nanosecond, times 2^32.
    scale: u64,
}

impl TimerTicks {
    /// A timer that makes `ticks` ticks in a millisecond; `None` if it stands
    /// still.
    pub(crate) const fn in_a_millisecond(ticks: u32) -> Option<Self> {
        if ticks == 0 { None } else { Some(Self { scale: ((ticks as u64) << 32) / 1_000_000 }) }
    }

    /// Ticks in so many nanoseconds: at least one, at most what the timer's
    /// counter can hold.
    pub(crate) fn of(self, nanoseconds: u64) -> u32 {
        let ticks = (u128::from(nanoseconds) * u128::from(self.scale)) >> 32;
        u32::try_from(ticks).unwrap_or(u32::MAX).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_of_a_timer() {
        assert_eq!(TimerTicks::in_a_millisecond(0), None);
        let ticks = TimerTicks::in_a_millisecond(62_500).map(|timer| {
            [0, 1_000_000, 1_000_000_000, u64::MAX].map(|nanoseconds| timer.of(nanoseconds))
        });
        assert_eq!(ticks, Some([1, 62_500, 62_500_000, u32::MAX]));
    }
}
