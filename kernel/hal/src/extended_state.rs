//! Registers that the kernel itself does not use: x87, SSE and what came after.
//!
//! The kernel is compiled without them, so a kernel thread has none to keep.
//! What it runs on behalf of others does: a thread with an [`ExtendedState`] has
//! these registers to itself. They are saved whenever it is left and loaded
//! whenever it is entered, all of them every time: nothing of one thread is
//! there for another to see, and there is no exception on first use.
//!
//! | file | subject |
//! |---|---|
//! | `format.rs` | which registers there are, and how they are saved |
//! | `area.rs` | the memory that they are saved in |
//! | `vectors.rs` | [`VectorRegisters`]: what some of them hold |
//! | `instructions.rs` | saving, loading, enabling |
//!
//! Specification: [APM 24593 §11.5], [APM 24592 §11].

mod area;
mod format;
mod instructions;
#[cfg(target_os = "none")]
mod start;
mod vectors;

pub use area::{ExtendedState, NotStarted};
#[cfg(target_os = "none")]
pub use start::start;
pub use vectors::VectorRegisters;
