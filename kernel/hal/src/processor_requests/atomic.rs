//! The atomics that the word of requests is made of.
//!
//! `race_tests.rs` compiles the word a second time, over atomics that try every
//! order of events.

pub(super) use core::sync::atomic::{AtomicU32, Ordering};
