//! What a guest and its SVSM say to each other.
//!
//! A guest sets registers and the byte [`CallPending`] in its calling area,
//! and asks the host to run the module on the same processor. The module reads
//! the registers from the guest's save area, does what they ask and writes a
//! [`ResultCode`] back. This crate is the format of all that, for both sides:
//! nothing here acts.
//!
//! | what | where |
//! |---|---|
//! | RAX: protocol and call | [`CallId`] |
//! | RCX, RDX, R8, R9 | [`CallRegisters`], read and written by each call's type |
//! | RAX afterwards | [`ResultCode`] |
//! | the page in which a call is announced | [`CallingArea`] |
//! | protocol 0 | [`core_protocol`] |
//! | protocol 1 | [`attestation`] |
//!
//! Values that a guest gives are allegations: they are decoded from a private
//! copy, once, and what decodes says nothing about whether the guest may name
//! such an address.
//!
//! Source: AMD publication 58019, "Secure VM Service Module for SEV-SNP
//! Guests", revision 1.00 (`SVSM 58019`). The document `abi/guest-calls.md` of
//! the book says what this module makes of it.
#![no_std]
#![forbid(unsafe_code)]

mod address;
pub mod attestation;
mod call_id;
mod calling_area;
pub mod core_protocol;
mod registers;
mod result_code;

pub use address::{GuestPage, ListAddress};
pub use call_id::{CallId, Protocol};
pub use calling_area::{CallPending, CallingArea};
pub use registers::CallRegisters;
pub use result_code::ResultCode;

const _: () = assert!(cfg!(target_endian = "little"), "the layouts are little-endian");
