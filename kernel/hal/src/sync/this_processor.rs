//! The running processor's state of locks.

use super::processor_state::ProcessorState;

/// Calls `use_it` with the running processor's state.
#[cfg(target_os = "none")]
pub(super) fn with_state<R>(use_it: impl FnOnce(&ProcessorState) -> R) -> R {
    use_it(&crate::processor::current().locks)
}

/// Does what other processors ask of the running one. Interrupts are masked by
/// the processor's flag.
#[cfg(target_os = "none")]
pub(super) fn serve_requests() {
    crate::processor::current().requests.serve();
}

/// Nobody asks threads for anything.
#[cfg(not(target_os = "none"))]
pub(super) fn serve_requests() {}

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
