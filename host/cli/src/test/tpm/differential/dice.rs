//! Choices that look random and are the same for the same number.

use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng, SeedableRng};

/// Where choices come from.
pub(super) struct Dice(ChaCha20Rng);

impl Dice {
    /// The choices with this number.
    pub(super) fn new(number: u64) -> Self {
        let mut seed = [0; 32];
        let (start, _) = seed.split_at_mut(8);
        start.copy_from_slice(&number.to_le_bytes());
        Self(ChaCha20Rng::from_seed(seed))
    }

    /// A number below `end`, which is not zero.
    pub(super) fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).expect("a count fits");
        usize::try_from(self.0.next_u64() % end).expect("it is below a count")
    }

    /// True once in `times`.
    pub(super) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of some things; there is at least one.
    pub(super) fn pick<T: Copy>(&mut self, things: &[T]) -> T {
        things[self.below(things.len())]
    }

    /// Some bytes, fewer than `end`.
    pub(super) fn bytes(&mut self, end: usize) -> Vec<u8> {
        let length = self.below(end);
        self.exactly(length)
    }

    /// So many bytes.
    pub(super) fn exactly(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    /// A word, as often small or with few bits as any.
    pub(super) fn word(&mut self) -> u32 {
        match self.below(4) {
            0 => self.0.next_u32() % 8,
            1 => 1 << self.below(32),
            2 => u32::MAX,
            _ => self.0.next_u32(),
        }
    }
}
