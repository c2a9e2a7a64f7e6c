//! Text output through a 16550 serial port.
//!
//! [`Terminal`] turns Rust's formatting into bytes for a [`Console`]; [`Uart`]
//! is the console that a PC's serial port makes. How its registers are reached
//! is the caller's to say, through [`Registers`]: nothing here executes an
//! instruction that touches a device.
//!
//! The kernel (`kernel/hal`) and the platform simulator
//! (`simulator/hypervisor`) both write to their machine's console this way.
#![no_std]
#![forbid(unsafe_code)]

mod console;
mod uart;

pub use console::{Console, Terminal};
pub use uart::{LINE_STATUS, MOST_STATUS_READS, Registers, TRANSMITTER_EMPTY, Uart};
