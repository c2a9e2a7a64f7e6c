//! Locks that know the state of interrupts, and cells that are filled once.
//!
//! Whatever processors share is either made of atomics or lies in one of these:
//!
//! | type | for |
//! |---|---|
//! | [`SpinLock`] | data that changes; short, never across a wait |
//! | [`Once`] | data that the start fills in and everybody reads afterwards |
//! | [`Masked`] | data of the own processor: nothing interrupts while it lives |
//!
//! # Lock order
//!
//! Every [`SpinLock`] has a [`Rank`]. A processor that holds a lock only takes
//! locks of higher ranks; so no circle of processors can wait for each other.
//! Builds with debug assertions check each acquisition against the ranks that
//! the processor holds and panic at the first breach, whether or not it would
//! have led to a deadlock that time. The table of ranks is at [`Rank`].
//!
//! # Interrupts
//!
//! A lock that an interrupt handler takes as well must not be held by the
//! code that it interrupted. All locks mask interrupts while they are held,
//! so that nobody has to think about which ones those are.
//!
//! # Neighbours
//!
//! Tasks that wait for something long do so in the wait queues of
//! `kernel/tasks`, which stand on these locks.

mod atomic;
mod held_ranks;
mod interrupt_flag;
mod interrupt_state;
mod masked;
pub(crate) mod once;
pub(crate) mod processor_state;
mod rank;
mod spin_lock;
mod this_processor;
mod tickets;

#[cfg(test)]
mod race_tests;

#[cfg(test)]
pub(crate) use interrupt_flag::is_set as interrupt_flag_is_set;
pub use interrupt_state::InterruptState;
#[cfg(target_os = "none")]
pub(crate) use masked::unmask_for_the_first_time;
pub use masked::{Masked, mask};
pub(crate) use masked::{set_unmask_at_end, take_over, unmask_at_end};
pub use once::Once;
pub use processor_state::ProcessorState;
pub use rank::Rank;
pub(crate) use spin_lock::holds_locks;
pub use spin_lock::{SpinLock, SpinLockGuard};
