//! Exceptions and interrupts.
//!
//! `stubs.rs` holds one entry per vector, which all save the registers as a
//! [`processor::TrapFrame`] and go on in `handler.rs`; `table.rs` points the
//! processor at them. What nothing handles is reported and ends the
//! machine; `injection.rs` tells whether it is the host's doing.

mod handler;
mod stubs;
mod table;

pub(crate) use table::load;
