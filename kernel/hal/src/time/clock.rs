//! From counts to nanoseconds.

/// Nanoseconds in a second.
const SECOND_NS: u128 = 1_000_000_000;

/// A counter that runs at a constant frequency from a start on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Clock {
    start: u64,
    frequency: u64,
    /// Nanoseconds of a count, times 2^32.
    scale: u64,
}

impl Clock {
    /// A clock that starts at count `start` and makes `frequency` counts in a
    /// second.
    ///
    /// # Panics
    ///
    /// If the frequency is 0: callers check it.
    pub(crate) fn new(start: u64, frequency: u64) -> Self {
        assert!(frequency != 0, "a clock that stands still tells no time");
        // At most 10^9 * 2^32, for a frequency of 1.
        let scale = ((SECOND_NS << 32) / u128::from(frequency)) as u64;
        Self { start, frequency, scale }
    }

    /// Counts in a second.
    pub(crate) const fn frequency(&self) -> u64 {
        self.frequency
    }

    /// Nanoseconds from the start until `count`, 0 for counts before it. Stays at
    /// the greatest value after 584 years.
    pub(crate) fn nanoseconds(&self, count: u64) -> u64 {
        let counts = u128::from(count.saturating_sub(self.start));
        u64::try_from((counts * u128::from(self.scale)) >> 32).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_become_nanoseconds() {
        let clock = Clock::new(1000, 2_500_000_000);
        assert_eq!(clock.nanoseconds(1000), 0);
        assert_eq!(clock.nanoseconds(999), 0);
        assert_eq!(clock.nanoseconds(0), 0);
        let second = clock.nanoseconds(1000 + 2_500_000_000);
        assert!((999_999_990..=1_000_000_000).contains(&second), "{second}");
    }

    #[test]
    fn extreme_counts_do_not_overflow() {
        assert_eq!(Clock::new(0, 1).nanoseconds(u64::MAX), u64::MAX);
        assert_eq!(Clock::new(0, u64::MAX).nanoseconds(u64::MAX), 0);
        assert!(Clock::new(0, 1_000_000_000).nanoseconds(u64::MAX) >= u64::MAX - 1);
    }
}
