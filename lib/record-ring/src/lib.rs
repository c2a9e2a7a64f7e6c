//! A ring of records that one processor writes and any number reads.
//!
//! Made for logs: writing never waits, never fails for want of room and may be
//! interrupted at any point by a handler that writes to the same ring. The
//! oldest records make room for new ones; readers learn how many they missed.
//! Everything is atomics, so readers and the writer may overlap in any way
//! without `unsafe`.
//!
//! | file | subject |
//! |---|---|
//! | [`Ring`] | the protocol between the writer and readers |
//! | [`Record`], [`Cursor`] | what a reader gets, and where it stands |
//! | `empty.rs` | how a ring begins |
//! | `header.rs` | first word of a record |
//! | `reserved.rs` | where the next record goes |
//!
//! What a record means is the caller's: it has a time, a tag of one byte and
//! some bytes.
#![no_std]
#![forbid(unsafe_code)]

mod atomic;
mod empty;
mod header;
mod record;
mod reserved;
mod ring;

#[cfg(test)]
mod interrupt_tests;
#[cfg(test)]
mod race_tests;
#[cfg(test)]
mod ring_tests;

pub use record::{Cursor, Record};
pub use ring::{Ring, TooLong};
