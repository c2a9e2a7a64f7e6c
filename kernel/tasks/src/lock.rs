//! The lock that the protocols between processors stand on.
//!
//! `race_tests.rs` compiles the protocols a second time, over a lock that tries
//! every order of events.

pub(crate) use hal::sync::{Rank, SpinLock};
