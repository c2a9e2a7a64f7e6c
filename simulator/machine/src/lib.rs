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
//! | [`processors`] | which privilege level of which virtual processor runs, with which save area |
//! | [`processor`] | what a processor does that an emulated one does not: save areas, exits, #VC |
//! | [`cpuid`] | what CPUID says, and how the security processor checks it |
//! | [`launch`] | how the security processor loads and measures a guest, and checks whose it is |
//! | [`pci`] | which of the outer machine's PCI devices the guest has, and what it sees of them |
//! | [`firmware_configuration`] | what the guest sees of QEMU's items for firmware |
//! | [`ghcb`] | what the hypervisor answers a guest that asks it |
//! | [`doorbell`] | how events reach a guest under restricted injection |
//! | [`hostile`] | attacks by the hypervisor on its guest, as a scenario says |
//! | [`reverse_map`] | who owns each page, whether the guest has accepted it, and what each privilege level may do with it |
//! | [`security_processor`] | what the security processor answers to the running guest: reports, keys |
//!
//! What the rooms share: [`Gpa`], the [`Execution`] state of a virtual processor,
//! the [`NestedFaultError`] of its exits, its [time stamp counter](GuestTsc), the
//! [`Schedule`] of the processors, and the [`Platform`] that all is about.
//!
//! Sources: the AMD64 Architecture Programmer's Manual, volumes 2 and 3
//! (`APM 24593`, `APM 24594`), and the SEV-SNP firmware ABI specification
//! (`SNP ABI 56860`). What could not be read there says so where it stands,
//! with the words *from memory*.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod cpuid;
pub mod doorbell;
mod execution;
pub mod firmware_configuration;
pub mod ghcb;
mod gpa;
mod guest_memory;
mod guest_tsc;
pub mod hostile;
mod key_derivation;
pub mod kvm_clock;
pub mod launch;
mod legacy_interrupt_controller;
mod level_counts;
mod marks;
mod nested_fault;
pub mod pci;
mod platform;
pub mod processor;
pub mod processors;
pub mod reverse_map;
mod schedule;
pub mod security_processor;
mod special_registers;

pub use execution::{Cpl, Execution};
pub use gpa::Gpa;
pub use guest_memory::{GuestMemory, NoMemory};
pub use guest_tsc::{GuestTsc, TscFrequency};
pub use legacy_interrupt_controller::LegacyInterruptControllers;
pub use level_counts::{LevelCall, LevelCount, LevelCounts};
pub use marks::{MARK, Marks};
pub use nested_fault::NestedFaultError;
pub use platform::{ChipMasks, Platform, ReportVersion};
pub use schedule::Schedule;
pub use special_registers::SpecialRegisters;
