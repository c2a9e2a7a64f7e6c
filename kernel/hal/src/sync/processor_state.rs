//! What the locks keep for each processor.

use super::held_ranks::HeldRanks;
use super::interrupt_state::InterruptState;

/// A processor's interrupt state and the ranks of the locks that it holds.
///
/// Part of the processor's own data; nobody else uses it.
#[derive(Debug)]
pub struct ProcessorState {
    interrupts: InterruptState,
    pub(super) ranks: HeldRanks,
}

impl ProcessorState {
    /// Of a processor that holds no lock and has not masked interrupts.
    #[must_use]
    pub const fn new() -> Self {
        Self { interrupts: InterruptState::new(), ranks: HeldRanks::none() }
    }

    /// Whether and why interrupts are masked.
    #[must_use]
    pub const fn interrupts(&self) -> &InterruptState {
        &self.interrupts
    }
}

impl Default for ProcessorState {
    fn default() -> Self {
        Self::new()
    }
}
