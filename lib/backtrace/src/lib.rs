//! Who called whom, for a register dump.
//!
//! [`Frames`] walks over frame pointers: code that is compiled with them keeps
//! in RBP the address of two words, the caller's RBP and the return address
//! [System V ABI, AMD64 supplement, §3.2.2]. [`Backtrace`] shows the addresses
//! with names from the image's symbol table (`abi_boot`), line by line.
//!
//! A walk happens when something is wrong, so that it believes nothing: words
//! of the stack come from a [`StackWords`] that knows where the stack lies, and
//! a frame pointer must lead upwards. A walk ends after as many frames as the
//! caller says, at the latest.
#![no_std]
#![forbid(unsafe_code)]

mod backtrace;
mod frames;

pub use backtrace::Backtrace;
pub use frames::{Frame, Frames, StackWords};
