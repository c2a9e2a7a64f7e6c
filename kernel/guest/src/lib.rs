//! The guest below the module: its memory, its virtual processors, its calls.
//!
//! The guest is Linux, or whatever else the image brings, at VMPL2 of the same
//! processors. It is entered by [`start()`] and asks for what only the module can
//! do by calls ([SVSM 58019]); what these mean is decided in `guest-calls`, with
//! the instructions and pages that this crate brings.
//!
//! | file | what |
//! |---|---|
//! | [`start()`] | from a payload to its first instruction |
//! | `acceptance` | all memory becomes the guest's |
//! | `pages` | giving and filling in pages |
//! | `first_processor` | the state in which the guest starts |
//! | `run` | every processor runs the guest and answers its calls |
//! | `machine` | what the answers need of the kernel |
//! | `pool` | memory that the guest gives |
//! | `save_area` | registers of the guest's |
//! | `level` | where the guest runs, and what it may do |
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

#[cfg(target_os = "none")]
mod acceptance;
#[cfg(target_os = "none")]
mod first_processor;
#[cfg(target_os = "none")]
mod level;
#[cfg(target_os = "none")]
mod machine;
#[cfg(target_os = "none")]
mod pages;
#[cfg(target_os = "none")]
mod pool;
#[cfg(target_os = "none")]
mod run;
#[cfg(target_os = "none")]
mod save_area;
#[cfg(target_os = "none")]
mod start;

#[cfg(target_os = "none")]
pub use start::{Guest, Machine, start};
