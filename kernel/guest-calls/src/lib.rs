//! What the module does when its guest calls.
//!
//! The guest asks for what only the module can do: that pages become validated
//! or not, that a page becomes a processor's save area. Whatever it says may be
//! wrong or meant to harm, and it may change memory while the module looks at
//! it. [`GuestCalls::serve`] reads registers and lists once, refuses what the
//! account of all pages ([`page_state`]) and the [`Registry`] of virtual
//! processors do not allow, and does the rest through traits:
//!
//! | trait | what the kernel brings |
//! |---|---|
//! | [`Pages`], [`OpenPage`] | instructions on a page that nobody else changes meanwhile |
//! | [`GuestMemory`] | reading and writing a page of the guest's |
//! | [`SaveAreas`] | registers of the guest's virtual processors |
//! | [`Translations`] | all processors forget what the guest may do with pages |
//! | [`MemoryPool`] | memory that the guest gives and takes back |
//! | [`Reports`], [`Services`] | attestation reports, and what they are about |
//!
//! # Who may touch a page
//!
//! Only two things give access, and each excludes the other:
//!
//! - a *claim* ([`page_state::Claim`]): one processor changes what the page is;
//! - a *hold* ([`HeldPage`]): processors read and write it, as the guest could.
//!   A calling area is held for as long as it is one.
//!
//! A processor announces a hold and then looks whether the page is the guest's
//! and not claimed; it claims pages and then looks whether they are held. One of
//! two that come at the same time sees the other and withdraws, and its guest
//! reads [`BUSY`](abi_svsm::ResultCode::BUSY). So no list is written into a page
//! that has meanwhile become the module's.
//!
//! # Virtual processors
//!
//! Each has an entry of the registry with a state that only compare-and-swap
//! changes: it is being made, ready, serving a call, or being deleted. No lock
//! is held across an instruction, and none is shared by all processors.
//!
//! The protocol is told in the book's `abi/guest-calls.md`.
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(clippy::disallowed_methods, clippy::disallowed_macros, reason = "tests may panic")
)]

extern crate alloc;

mod access;
mod atomic;
mod attestation_calls;
mod buffer_writer;
mod calling_area;
mod core_calls;
mod deposit;
mod guest_calls;
mod holds;
mod level;
mod machine;
mod manifest;
mod page_list;
mod page_rights;
mod processor_slot;
mod registry;
mod reports;
mod serve;
mod validation;
mod vcpu_life;
mod vcpu_slot;

#[cfg(test)]
mod race_tests;
#[cfg(test)]
mod tests;

pub use guest_calls::GuestCalls;
pub use level::GUEST_LEVEL;
pub use machine::{
    CallState, Change, EntryRight, GuestMemory, Inaccessible, InstructionError, Machine,
    MemoryPool, OpenPage, Pages, PoolFull, SaveAreaProperties, SaveAreas, Translations,
};
pub use page_rights::{ClaimedPage, HeldPage, SaveAreaPage};
pub use registry::{BootVcpuError, Registry};
pub use reports::{ReportFailure, Reports, ServiceManifest, Services};
pub use serve::Served;
pub use validation::PAGES_PER_CALL;
