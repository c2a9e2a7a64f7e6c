//! How the word of requests begins.
//!
//! A file of its own because tests make the same from other atomics, which have
//! no constants.

use super::atomic::AtomicU32;
use super::word::RequestWord;

impl RequestWord {
    /// Nothing is asked.
    pub(crate) const fn new() -> Self {
        Self(AtomicU32::new(0))
    }
}
