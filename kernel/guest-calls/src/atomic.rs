//! What the registry stands on: the processor's atomics. The tests of races put
//! those of a model checker here.

pub(super) use core::sync::atomic::{AtomicU64, Ordering, fence};
