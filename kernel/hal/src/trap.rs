//! Exceptions and interrupts.
//!
//! `stubs.rs` holds one entry per vector, which all save the registers as a
//! [`frame::TrapFrame`] and go on in `handler.rs`; `table.rs` points the
//! processor at them. Nothing is handled yet: every trap is reported and ends
//! the machine.

pub(crate) mod frame;
#[cfg(target_os = "none")]
mod handler;
#[cfg(target_os = "none")]
mod stubs;
#[cfg(target_os = "none")]
mod table;

#[cfg(target_os = "none")]
pub(crate) use table::load;
