//! Contract between the host and the platform simulator.
//!
//! `svsm run` starts an emulator whose kernel is `simulator/hypervisor`. The
//! two talk over two one-way paths, and this crate is what they agree on:
//!
//! | path | what | room |
//! |---|---|---|
//! | host to hypervisor | the *launch file*, which the emulator's loader places in memory as if it were an initial RAM disk | [`launch`] |
//! | hypervisor to host | one [`Report`](report::Report) a line, as JSON, on the emulator's debug console | [`report`] |
//!
//! Both also have to know where the guest's memory lies: [`memory_ranges`].
//!
//! The two ends come from the same commit, so a version number that differs is
//! an error and nothing is kept compatible.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod launch;
mod memory;
pub mod report;

pub use memory::{HIGH_MEMORY_BASE, LOW_MEMORY_LIMIT, MAX_MEMORY, MemoryRange, memory_ranges};
