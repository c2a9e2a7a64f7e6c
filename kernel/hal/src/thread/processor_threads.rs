//! What a processor runs, and what it has just left.

use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicU8};

/// The threads of one processor; part of the processor's own data, which nobody
/// else uses, with interrupts masked.
///
/// `running.rs` says what the pointers lead to; the processor's data do not know
/// threads.
#[derive(Debug)]
pub struct ProcessorThreads {
    /// What runs; null before [`adopt`](super::adopt).
    pub(super) current: AtomicPtr<()>,
    /// What is being left, until the processor is on another stack; else null.
    pub(super) left: AtomicPtr<()>,
    /// The state that `left` is to get.
    pub(super) left_state: AtomicU8,
}

impl ProcessorThreads {
    /// Of a processor that runs no thread yet.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            current: AtomicPtr::new(ptr::null_mut()),
            left: AtomicPtr::new(ptr::null_mut()),
            left_state: AtomicU8::new(0),
        }
    }
}

impl Default for ProcessorThreads {
    fn default() -> Self {
        Self::none()
    }
}
