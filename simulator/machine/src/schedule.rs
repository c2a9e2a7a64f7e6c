//! Which virtual processor runs next, and for how long.
//!
//! They take turns on one processor of the outer machine. With the seed 0 turns
//! go round, all of the same length; other seeds make both random, so that
//! different seeds show different interleavings and the same one shows the same.

/// The turns of virtual processors.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    slice_ns: u64,
    order: Order,
}

/// In which order processors run.
#[derive(Clone, Copy, Debug)]
enum Order {
    /// One after the other.
    Round,
    /// By random numbers, which follow from this state.
    Random(u64),
}

/// Slices of random length are shorter than twice the usual one by up to so many
/// powers of two: most races want a switch soon after another one.
const SHORTEST: u64 = 16;

impl Schedule {
    /// Turns of `slice_ns` nanoseconds, more or less unless `seed` is 0.
    #[must_use]
    pub const fn new(slice_ns: u64, seed: u64) -> Self {
        let order = if seed == 0 { Order::Round } else { Order::Random(seed) };
        Self { slice_ns, order }
    }

    /// The processor that is asked first whether it can run, of `count`; the
    /// others follow by number. `last` is the one that ran.
    ///
    /// # Panics
    ///
    /// If there are no processors.
    pub const fn first(&mut self, last: usize, count: usize) -> usize {
        assert!(count != 0, "a machine has processors");
        match self.random() {
            // Below `count`, which is a `usize`.
            Some(random) => (random % count as u64) as usize,
            None => (last + 1) % count,
        }
    }

    /// How long it may run while others want to, in nanoseconds.
    pub const fn slice_ns(&mut self) -> u64 {
        match self.random() {
            Some(random) => self.slice_ns.saturating_mul(2) >> (random % SHORTEST),
            None => self.slice_ns,
        }
    }

    /// The next random number: Vigna's SplitMix64, which takes any seed.
    const fn random(&mut self) -> Option<u64> {
        let Order::Random(state) = &mut self.order else { return None };
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = *state;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        Some(mixed ^ mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::collections::BTreeSet;
    use std::vec::Vec;

    use super::*;

    const SLICE_NS: u64 = 1_000_000;

    fn turns(seed: u64) -> Vec<(usize, u64)> {
        let mut schedule = Schedule::new(SLICE_NS, seed);
        let mut last = 0;
        let turn = |_| {
            last = schedule.first(last, 4);
            (last, schedule.slice_ns())
        };
        (0..100).map(turn).collect()
    }

    #[test]
    fn turns_go_round_without_a_seed() {
        let expected: Vec<_> = [1, 2, 3, 0].map(|next| (next, SLICE_NS)).repeat(25);
        assert_eq!(turns(0), expected);
    }

    #[test]
    fn a_seed_is_a_schedule() {
        for seed in [1, 2, u64::MAX] {
            assert_eq!(turns(seed), turns(seed));
            assert_ne!(turns(seed), turns(seed.wrapping_add(1)));
            let processors: BTreeSet<_> = turns(seed).iter().map(|turn| turn.0).collect();
            assert_eq!(processors.len(), 4);
            let slices: BTreeSet<_> = turns(seed).iter().map(|turn| turn.1).collect();
            assert!(slices.len() > 8, "{slices:?}");
            assert!(slices.iter().all(|slice| (1..=2 * SLICE_NS).contains(slice)));
        }
    }
}
