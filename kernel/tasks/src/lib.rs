//! Tasks: who runs when and where, and how they wait for each other.
//!
//! A task is a thread of the kernel ([`hal::thread`]) with a priority, on one
//! processor for its life. Of the ready tasks of a processor, one of the highest
//! priority runs; those of one priority take turns. Where the platform has a
//! timer, it ends turns ([`tick`]); elsewhere tasks make way when they wait or
//! call [`yield_now`].
//!
//! | for | there is |
//! |---|---|
//! | beginning | [`start`], [`run_processor`], [`spawn()`] |
//! | ending | [`JoinHandle`] |
//! | waiting | [`WaitQueue`], [`sleep_until`], [`yield_now`], [`look_for_others`] |
//! | not making way | [`disable_preemption`]; locks do so as well |
//! | the platform | [`Platform`]; [`tick`], [`leave_interrupt`] |
//!
//! # How it is built
//!
//! `dispatcher.rs` has the queues and states, `monitor.rs` the waiting; neither
//! switches stacks, so tests run them in every order of events. `system.rs` does
//! what they say with the threads of `hal`.
//!
//! All places for tasks, queues and deadlines are allocated at the start. After
//! it, only [`spawn()`] allocates, and says so when it cannot.
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(clippy::disallowed_methods, clippy::disallowed_macros, reason = "tests may panic")
)]

extern crate alloc;

mod affinity;
mod deadlines;
mod dispatcher;
mod join_handle;
mod lock;
mod monitor;
mod platform;
mod priority;
mod running;
mod spawn;
mod system;
mod task_list;
mod thread_table;
mod wait_queue;

#[cfg(test)]
mod dispatcher_tests;
#[cfg(test)]
mod race_tests;

pub use affinity::Affinity;
pub use join_handle::JoinHandle;
pub use platform::Platform;
pub use priority::Priority;
pub use running::{
    PreemptionDisabled, current_name, disable_preemption, leave_interrupt, look_for_others,
    run_processor, sleep_until, tick, yield_now,
};
pub use spawn::{SpawnError, TaskOptions, TaskRegisters, spawn};
pub use system::{StartError, start};
pub use wait_queue::WaitQueue;
