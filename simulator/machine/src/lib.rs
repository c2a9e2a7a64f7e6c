//! Pure model of an SEV-SNP platform.
//!
//! What an AMD processor, its security processor and the hypervisor do for an
//! SEV-SNP guest, as plain functions over plain data: no I/O, no unsafe code,
//! no processor. `simulator/hypervisor` runs guests inside an emulator that
//! knows nothing of SEV-SNP and asks this model, at every instruction and
//! access that matters, what the processor would do next; tests ask it without
//! any guest.
//!
//! One room for each part of the platform:
//!
//! | room | what it models |
//! |---|---|
//! | [`reverse_map`] | who owns each page, whether the guest has accepted it, and what each privilege level may do with it |
//!
//! What the rooms share: [`Gpa`], the [`Execution`] state of a virtual processor
//! and the [`NestedFaultError`] of its exits.
//!
//! Sources: the AMD64 Architecture Programmer's Manual, volumes 2 and 3
//! (`APM 24593`, `APM 24594`), and the SEV-SNP firmware ABI specification
//! (`SNP ABI 56860`). What could not be read there says so where it stands,
//! with the words *from memory*.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod execution;
mod gpa;
mod guest_memory;
mod nested_fault;
pub mod reverse_map;

pub use execution::{Cpl, Execution};
pub use gpa::Gpa;
pub use guest_memory::{GuestMemory, NoMemory};
pub use nested_fault::NestedFaultError;
