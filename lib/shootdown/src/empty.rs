//! How everything begins.
//!
//! A file of its own because tests make the same from other atomics, which have
//! no constants.

use crate::active::ActiveProcessors;
use crate::atomic::AtomicU64;
use crate::requests::FlushRequests;

impl ActiveProcessors {
    /// Nobody.
    #[must_use]
    pub const fn new() -> Self {
        Self(AtomicU64::new(0))
    }
}

impl Default for ActiveProcessors {
    fn default() -> Self {
        Self::new()
    }
}

impl FlushRequests {
    /// No requests, to a processor that is not away.
    #[must_use]
    pub const fn new() -> Self {
        Self { word: AtomicU64::new(0), done: AtomicU64::new(0) }
    }
}

impl Default for FlushRequests {
    fn default() -> Self {
        Self::new()
    }
}
