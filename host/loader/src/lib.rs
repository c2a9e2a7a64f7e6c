//! The IGVM loader of the platform simulator.
//!
//! A VMM reads an IGVM file, gives the guest memory, fills in what only the
//! host knows and hands one page after the other to the security processor.
//! [`load()`] does the same, except that it writes down what is to be handed over
//! as a launch file ([`abi_simulator::launch`]); the simulator's hypervisor
//! follows it.
//!
//! # What becomes of the file
//!
//! The loader does what the file says: pages are launched in the order of the
//! file, save areas at the address and with the content that the file gives.
//! That is what `svsm_image::measure` calls [`Vmm::AsWritten`]; the digest that
//! it foretells, with [`ZeroPages::Normal`], is the digest of the launch.
//!
//! | in the file | in the launch file |
//! |---|---|
//! | page, with or without data | normal pages, with content or without |
//! | page of 2 MiB | the same as a page of 2 MiB |
//! | page with the flag *unmeasured* | unmeasured pages |
//! | page with the flag *shared* | shared pages |
//! | secrets page | secrets page |
//! | CPUID page, CPUID page for extended state | CPUID page with the content of the file |
//! | parameter area, inserted | unmeasured pages with what the host has to say |
//! | VP context | save area of this processor |
//! | required memory | pages that are the guest's and not accepted, where the file has none; as QEMU does it |
//! | error range | memory |
//! | guest policy, ID block | the same |
//!
//! [`MachineOptions::vmpl`] changes the save areas' privilege level, and with it
//! the permissions of all pages and the digest.
//!
//! # Parameters
//!
//! | parameter | what is written |
//! |---|---|
//! | VP count | the machine's number of virtual processors |
//! | environment | memory is shared until the guest takes it |
//! | memory map | the machine's memory; memory that is there because of the file only is reserved |
//! | MADT | the table of [`platform_tables::madt`] |
//! | command line | [`MachineOptions::command_line`] |
//! | device tree | nothing: the area keeps its initial content |
//! | SRAT, SLIT, PPTT, MMIO ranges | refused: there is nothing to tell |
//!
//! # Memory
//!
//! The guest has the memory of the machine ([`abi_simulator::memory_ranges`])
//! and, as with QEMU, whatever else the file uses.
//!
//! Sources: the crate `igvm_defs`, and QEMU's `backends/igvm.c` for what real
//! loaders do.
//!
//! [`Vmm::AsWritten`]: svsm_image::measure::Vmm::AsWritten
//! [`ZeroPages::Normal`]: svsm_image::measure::ZeroPages::Normal
#![forbid(unsafe_code)]

mod error;
mod level;
mod load;
mod machine_options;
mod memory;
mod parameters;
mod processors;
mod steps;

pub use error::Error;
pub use load::load;
pub use machine_options::MachineOptions;
