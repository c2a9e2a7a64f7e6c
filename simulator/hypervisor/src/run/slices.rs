//! How long a processor runs while others want to.

/// Slices of time: all alike, or of random lengths, so that different numbers
/// show different interleavings, and the same number the same one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slices {
    nanoseconds: u64,
    /// Zero for slices that are all alike.
    random: u64,
}

impl Slices {
    pub(super) const fn new(nanoseconds: u64, seed: u64) -> Self {
        Self { nanoseconds, random: seed }
    }

    /// The next slice, in nanoseconds: of random ones, from none to twice the
    /// usual length.
    pub(super) const fn next(&mut self) -> u64 {
        if self.random == 0 {
            return self.nanoseconds;
        }
        // Marsaglia's xorshift never gives zero.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % self.nanoseconds.saturating_mul(2).saturating_add(1)
    }
}
