//! The atomics that the lock protocol is made of.
//!
//! `race_tests.rs` compiles the protocol a second time, over atomics that try
//! every order of events.

pub(super) use core::sync::atomic::{AtomicU32, Ordering};

/// Waits a moment for another processor.
#[cfg(target_os = "none")]
pub(super) use core::hint::spin_loop;

/// Waits a moment for another thread, which may need this processor.
#[cfg(not(target_os = "none"))]
pub(super) fn spin_loop() {
    extern crate std;

    std::thread::yield_now();
}
