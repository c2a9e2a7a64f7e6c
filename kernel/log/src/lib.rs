//! What the module says about itself, and who may read it.
//!
//! Every message names its [`Audience`], by the macro that writes it:
//!
//! ```
//! use kernel_log::{log_for_host, log_for_nobody, log_for_tenant};
//!
//! log_for_host!(Warning, "the loader gave no memory map");
//! log_for_tenant!(Info, "{} pages validated", 4096);
//! log_for_nobody!(Trace, "request queue is empty");
//! ```
//!
//! Secrets are kept out of messages by their types, whose `Debug` shows
//! nothing; an audience does not make it right to write one.
//!
//! # The way of a message
//!
//! 1. It is formatted into a buffer on the stack (`line.rs`), which cuts what
//!    is too long and defuses control characters: text of the host's or the
//!    guest's must not forge lines.
//! 2. It goes into the ring of the running processor ([`record_ring`]), which
//!    keeps the newest messages: some hundred of the
//!    first processor, some twenty of another. So the log works in any context,
//!    also in handlers of exceptions.
//! 3. If the image's manifest lets its audience read the console, it is printed
//!    at once. Release images print nothing.
//!
//! [`Reader`] gets all rings' messages, merged by time.
//!
//! # Start
//!
//! The log takes messages from the first instruction on: they go to the first
//! processor's ring, with time 0. [`Log::open_console`] prints what was kept so
//! far; [`Log::spread`] gives the other processors rings of their own.
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(clippy::disallowed_methods, clippy::disallowed_macros, reason = "tests may panic")
)]

mod audience;
mod level;
mod line;
mod log;
mod macros;
mod message;
mod reader;
mod rings;
mod tag;

pub use audience::Audience;
pub use level::Level;
pub use line::LINE_SIZE;
pub use log::{LOG, Log, Sources};
pub use message::Message;
pub use reader::Reader;
pub use record_ring::Cursor;
pub use rings::MessageRing;
