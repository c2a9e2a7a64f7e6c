//! What the table stands on: the processor's atomics. The tests of races put
//! those of a model checker here.

pub(super) use core::{
    hint::spin_loop,
    sync::atomic::{AtomicU64, Ordering},
};
