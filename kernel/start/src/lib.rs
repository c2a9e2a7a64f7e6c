//! The module's start: the order of steps, and what is wired to what.
//!
//! `hal` has made memory, exceptions and the host's channel usable when it
//! enters a binary. From there [`start()`] goes on, for the module itself and for
//! the kernel that runs tests.
//!
//! | file | what |
//! |---|---|
//! | [`start()`] | the order |
//! | `machine` | the machine as tasks need it |
//! | `security_processor` | the conversation with the security processor begins |
//! | `loader_areas` | what the loader has filled in |
//! | `processors` | all processors run tasks |
//! | `logging` | a ring for each processor, and the console |
//! | [`pages`] | the state of every page, from the loader's memory map |
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

#[cfg(target_os = "none")]
mod loader_areas;
#[cfg(target_os = "none")]
mod logging;
#[cfg(target_os = "none")]
mod machine;
#[cfg(target_os = "none")]
pub mod pages;
#[cfg(target_os = "none")]
mod processors;
#[cfg(target_os = "none")]
mod security_processor;
#[cfg(target_os = "none")]
mod start;

#[cfg(target_os = "none")]
pub use logging::keep;
#[cfg(target_os = "none")]
pub use start::{Started, start};
