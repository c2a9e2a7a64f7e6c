//! Whether and why interrupts are masked on a processor.

use core::sync::atomic::{AtomicU32, Ordering};

/// How many reasons a processor has to keep interrupts masked, and what holds
/// again when the last one is gone.
///
/// Guards may end in any order; only the last one unmasks. The processor alone
/// changes it, while interrupts are masked.
///
/// One word: bit 0 says whether the end of the last guard unmasks, above it
/// stands the number of guards.
#[derive(Debug)]
pub struct InterruptState(AtomicU32);

/// Whether the end of the last guard unmasks.
const UNMASK_AT_END: u32 = 1;
/// One guard.
const GUARD: u32 = 2;

/// What holds when a guard has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AfterGuard {
    /// Other guards live.
    Masked,
    /// None does; interrupts were masked before the first one as well.
    Free,
    /// None does, and interrupts are to be unmasked.
    Unmask,
}

impl InterruptState {
    /// Nobody asked for interrupts to be masked.
    #[must_use]
    pub const fn new() -> Self {
        Self(AtomicU32::new(0))
    }

    fn word(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }

    /// Whether the kernel keeps interrupts masked: events that arrive all the
    /// same, such as \#HV exceptions, are to be left pending.
    #[must_use]
    pub fn masked(&self) -> bool {
        self.depth() != 0
    }

    /// Number of guards that live.
    pub(super) fn depth(&self) -> u32 {
        self.word() / GUARD
    }

    /// One more reason; `were_unmasked` counts if it is the first one.
    #[inline(always)]
    pub(super) fn enter(&self, were_unmasked: bool) {
        let next = match self.word() {
            0..GUARD => GUARD | u32::from(were_unmasked),
            word => nested(word),
        };
        self.0.store(next, Ordering::Relaxed);
    }

    /// One reason less.
    #[inline(always)]
    pub(super) fn leave(&self) -> AfterGuard {
        let Some(word) = self.word().checked_sub(GUARD) else { never_entered() };
        self.0.store(word, Ordering::Relaxed);
        match word {
            0 => AfterGuard::Free,
            UNMASK_AT_END => AfterGuard::Unmask,
            _ => AfterGuard::Masked,
        }
    }

    /// Whether the end of the last guard unmasks.
    pub(super) fn unmask_at_end(&self) -> bool {
        self.word() & UNMASK_AT_END != 0
    }

    /// Changes whether the end of the last guard unmasks: that belongs to the
    /// thread which the processor runs.
    pub(super) fn set_unmask_at_end(&self, unmask: bool) {
        self.0.store(self.word() & !UNMASK_AT_END | u32::from(unmask), Ordering::Relaxed);
    }
}

/// One guard more than in `word`.
#[inline(never)]
fn nested(word: u32) -> u32 {
    let next = word.checked_add(GUARD);
    next.expect("guards live on stacks, of which there is no room for so many")
}

#[cold]
fn never_entered() -> ! {
    panic!("every guard has entered before it leaves")
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
        assert_eq!(state.leave(), AfterGuard::Masked);
        assert!(state.masked());
        assert_eq!(state.leave(), AfterGuard::Unmask);
        assert!(!state.masked());
    }

    #[test]
    fn masked_before_is_masked_after() {
        let state = InterruptState::new();
        state.enter(false);
        assert_eq!(state.leave(), AfterGuard::Free);
        assert!(!state.masked());
    }

    #[test]
    fn what_the_end_does_can_change_meanwhile() {
        let state = InterruptState::new();
        state.enter(false);
        state.enter(true);
        assert!(!state.unmask_at_end());
        state.set_unmask_at_end(true);
        assert_eq!((state.depth(), state.unmask_at_end()), (2, true));
        assert_eq!(state.leave(), AfterGuard::Masked);
        assert_eq!(state.leave(), AfterGuard::Unmask);
        state.enter(false);
        assert_eq!(state.leave(), AfterGuard::Free);
    }

    #[test]
    #[should_panic(expected = "every guard has entered")]
    fn nobody_leaves_without_having_entered() {
        InterruptState::new().leave();
    }
}
