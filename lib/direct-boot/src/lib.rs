//! What a module fills in before it enters a Linux guest.
//!
//! An image brings the guest's kernel and nearly all that it is entered with,
//! measured. What only the machine knows at run time is filled in by the module:
//!
//! | what | from | by |
//! |---|---|---|
//! | memory map in `struct boot_params` | what memory there is, and what of it is not the guest's | [`MemoryMap`], [`write_memory_map`] |
//! | table of processors (MADT) | which processors there are | [`enable_processors`] |
//! | secrets page | the module's own | [`hand_on_secrets`] |
//! | CPUID page | the module's own | [`hand_on_cpuid`] |
//!
//! All of it works on bytes of pages, wherever they are mapped. Nothing is
//! allocated. What is wrong with an input is an error, never a panic.
//!
//! Specification: Linux `Documentation/arch/x86/boot.rst` and `zero-page.rst`,
//! [ACPI 6.5 §5.2.12, §15], [SNP ABI 56860 §8.14.2], [SVSM 58019].
#![no_std]
#![forbid(unsafe_code)]

mod boot_parameters;
mod cpuid;
mod madt;
mod memory_map;
mod memory_range;
mod secrets;

pub use boot_parameters::{MOST_RANGES, TooManyRanges, write_memory_map};
pub use cpuid::{CpuidError, hand_on_cpuid};
pub use madt::{MadtError, enable_processors};
pub use memory_map::{MemoryMap, MemoryMapError};
pub use memory_range::{MemoryKind, MemoryRange};
pub use secrets::{ModuleDescription, SecretsError, hand_on_secrets};
