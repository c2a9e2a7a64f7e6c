//! The atomics that the ring is made of.
//!
//! Tests compile the ring over others: `race_tests.rs` over atomics that try
//! every order of events, `interrupt_tests.rs` over atomics that interrupt.

pub(super) use core::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
