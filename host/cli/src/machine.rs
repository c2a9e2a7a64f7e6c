//! QEMU as a child process: what it is started with, what comes out of it, and
//! that nothing of it stays behind.
//!
//! Test steps and simulator runs both start their machines here. A
//! [`Machine`] is asked again and again what has [happened](Event); it never
//! outlives its owner.

mod named_pipe;
mod process;
mod qemu;
mod signals;

pub(crate) use named_pipe::NamedPipe;
pub(crate) use process::{Event, Machine, Side};
pub(crate) use qemu::{path_in_option, qemu};
pub(crate) use signals::{Signal, Signals, follow};
