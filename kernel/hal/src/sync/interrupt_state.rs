//! Whether and why interrupts are masked on a processor.

use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// How many reasons a processor has to keep interrupts masked, and what holds
/// again when the last one is gone.
///
/// Guards may end in any order; only the last one unmasks. The processor alone
/// changes it, while interrupts are masked.
#[derive(Debug)]
pub struct InterruptState {
    depth: AtomicU32,
    unmask_at_end: AtomicBool,
}

impl InterruptState {
    /// Nobody asked for interrupts to be masked.
    #[must_use]
    pub const fn new() -> Self {
        Self { depth: AtomicU32::new(0), unmask_at_end: AtomicBool::new(false) }
    }

    /// Whether the kernel keeps interrupts masked: events that arrive all the
    /// same, such as \#HV exceptions, are to be left pending.
    #[must_use]
    pub fn masked(&self) -> bool {
        self.depth() != 0
    }

    /// Number of guards that live.
    pub(super) fn depth(&self) -> u32 {
        self.depth.load(Ordering::Relaxed)
    }

    /// One more reason; `were_unmasked` counts if it is the first one.
    pub(super) fn enter(&self, were_unmasked: bool) {
        let depth = self.depth();
        if depth == 0 {
            self.unmask_at_end.store(were_unmasked, Ordering::Relaxed);
        }
        // Guards live on stacks, of which there is no room for so many.
        assert!(depth < u32::MAX, "more guards than memory could hold");
        self.depth.store(depth + 1, Ordering::Relaxed);
    }

    /// One reason less; whether interrupts are to be unmasked now.
    pub(super) fn leave(&self) -> bool {
        let depth = self.depth();
        assert!(depth != 0, "every guard has entered before it leaves");
        self.depth.store(depth - 1, Ordering::Relaxed);
        depth == 1 && self.unmask_at_end()
    }

    /// Whether the end of the last guard unmasks.
    pub(super) fn unmask_at_end(&self) -> bool {
        self.unmask_at_end.load(Ordering::Relaxed)
    }

    /// Changes whether the end of the last guard unmasks: that belongs to the
    /// thread which the processor runs.
    pub(super) fn set_unmask_at_end(&self, unmask: bool) {
        self.unmask_at_end.store(unmask, Ordering::Relaxed);
    }
}

impl Default for InterruptState {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_guard_unmasks() {
        let state = InterruptState::new();
        state.enter(true);
        state.enter(false);
        assert!(state.masked());
        assert!(!state.leave());
        assert!(state.masked());
        assert!(state.leave());
        assert!(!state.masked());
    }

    #[test]
    fn masked_before_is_masked_after() {
        let state = InterruptState::new();
        state.enter(false);
        assert!(!state.leave());
    }

    #[test]
    #[should_panic(expected = "every guard has entered")]
    fn nobody_leaves_without_having_entered() {
        InterruptState::new().leave();
    }
}
