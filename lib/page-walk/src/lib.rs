//! Walks a processor's page tables in software.
//!
//! A hypervisor that emulates an instruction, or a module that reads memory for
//! a guest, has a linear address and needs to know what the guest's processor
//! would make of it: [`Paging::translate`] answers with a physical address or
//! with the page fault that the processor would raise, error code and all. It
//! knows every kind of paging: four and five levels of long mode, PAE, two
//! levels of 32-bit entries, and none [APM 24593 §5.2 and §5.3],
//! [SDM 3A §4.3 to §4.6]. The manuals are cited from memory.
//!
//! | type | what |
//! |---|---|
//! | [`Paging`] | the registers that say how addresses are translated |
//! | [`PhysicalAddresses`] | how wide physical addresses are, and where the C-bit is |
//! | [`Access`], [`Privilege`] | what is accessed for, and by whom |
//! | [`Translation`], [`Permissions`] | what an address leads to |
//! | [`WalkError`] | why it leads nowhere |
//!
//! The memory that tables lie in is the caller's: it hands in a function that
//! reads them. Nothing is written: accessed and dirty bits stay as they are.
//! Nothing is cached.
//!
//! # What there is not
//!
//! Protection keys are not looked at, nor what shadow stacks add to the rules.
//! Pages of 1 GiB are taken as supported. PAE's four top entries are read at
//! each walk, as AMD's processors do for guests with nested paging
//! [APM 24593 §15.25.10], and not when CR3 is loaded.
#![no_std]
#![forbid(unsafe_code)]

mod access;
mod error;
mod format;
mod paging;
mod physical_addresses;
mod translation;
mod walk;

pub use access::{Access, Privilege};
pub use error::WalkError;
pub use paging::Paging;
pub use physical_addresses::PhysicalAddresses;
pub use translation::{Permissions, Translation};
pub use walk::TableRead;
