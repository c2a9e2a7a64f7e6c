//! The atomics that the protocol is made of.
//!
//! `race_tests.rs` compiles the protocol a second time, over atomics that try
//! every order of events.

pub(super) use core::sync::atomic::{AtomicU64, Ordering, fence};
