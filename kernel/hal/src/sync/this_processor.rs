//! The running processor's state of locks.

#[cfg(target_os = "none")]
use core::sync::atomic::Ordering;

use super::interrupt_state::AfterGuard;
use super::processor_state::ProcessorState;

/// Calls `use_it` with the running processor's state.
#[cfg(target_os = "none")]
pub(super) fn with_state<R>(use_it: impl FnOnce(&ProcessorState) -> R) -> R {
    use_it(&crate::processor::current().locks)
}

/// Notes one more reason for the interrupt flag to be clear, which it is;
/// `were_unmasked` says whether it was set before.
#[cfg(target_os = "none")]
#[inline(always)]
pub(super) fn enter(were_unmasked: bool) {
    let processor = crate::processor::current();
    // Set by a handler that returned to here: it holds as long as the flag is
    // set.
    processor.is_leaving.store(false, Ordering::Relaxed);
    processor.locks.interrupts().enter(were_unmasked);
}

/// Notes one reason less; behind the last one, does what other processors ask of
/// the running one. The interrupt flag is clear.
#[cfg(target_os = "none")]
#[inline(always)]
pub(super) fn leave() -> AfterGuard {
    let processor = crate::processor::current();
    let after = processor.locks.interrupts().leave();
    if after != AfterGuard::Masked {
        processor.requests.serve();
    }
    after
}

/// Notes one more reason, for the running thread.
#[cfg(not(target_os = "none"))]
pub(super) fn enter(were_unmasked: bool) {
    with_state(|state| state.interrupts().enter(were_unmasked));
}

/// Notes one reason less. Nobody asks threads for anything.
#[cfg(not(target_os = "none"))]
pub(super) fn leave() -> AfterGuard {
    with_state(|state| state.interrupts().leave())
}

/// Calls `use_it` with the running thread's state, which stands for a
/// processor's where there is an operating system.
#[cfg(not(target_os = "none"))]
pub(super) fn with_state<R>(use_it: impl FnOnce(&ProcessorState) -> R) -> R {
    extern crate std;

    std::thread_local! {
        static STATE: ProcessorState = const { ProcessorState::new() };
    }
    STATE.with(use_it)
}
