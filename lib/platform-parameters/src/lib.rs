//! What the host says about memory and processors, checked.
//!
//! A loader fills parameter areas of the image in: the memory map, the number
//! of virtual processors, the ACPI table of interrupt controllers (MADT), a
//! device tree. Nothing of that is measured: all of it is the host's word. An
//! area is a slice of any length; what is read from it ends where it says or
//! where the area ends.
//!
//! ```text
//! memory map area ──────────┐                    ┌────► MemoryMap
//! device tree ── DeviceTree ┴─ memory            │
//!                    └───────── processors ──┐   │
//! MADT area ─────────────────────────────────┴───┴────► Processors
//! processor count area ───────────────────────────────► u32
//! ```
//!
//! [`LoaderAreas`] are all areas taken together: which of them counts, and that
//! they do not contradict each other.
//!
//! A PVH loader fills no areas in: it leaves its data where it likes and tells
//! one address. [`PhysicalMemory`] is how that is read:
//!
//! ```text
//! start information ─┬─ its list ───────────────────────► MemoryMap
//!                    └─ ACPI root pointer ─ root table ─► MADT area
//! ```
//!
//! Results are what the rest of the module may take for granted about their
//! form: [`MemoryMap`] is sorted, without overlap, below the limit of physical
//! addresses; [`Processors`] are sorted, without duplicates. Whether they are
//! true, only use can tell: a page that is not there cannot be validated, a
//! processor that is not there does not start.
//!
//! Nothing is allocated: lists go into memory of the caller's, which bounds
//! them. What is wrong is a [`Refusal`] that names the area and the rule.
#![no_std]
#![forbid(unsafe_code)]

mod acpi;
mod device_tree;
mod igvm_memory_map;
mod loader_areas;
mod madt;
mod memory_map;
mod physical_memory;
mod processor_count;
mod processors;
mod refusal;
mod start_information;

#[cfg(test)]
mod model_memory;

pub use acpi::find_madt;
pub use device_tree::DeviceTree;
pub use igvm_memory_map::igvm_memory_map;
pub use loader_areas::LoaderAreas;
pub use madt::madt_processors;
pub use memory_map::{MemoryKind, MemoryMap, MemoryRange, PAGE_SIZE};
pub use physical_memory::{PhysicalMemory, Unreadable};
pub use processor_count::processor_count;
pub use processors::{Processor, ProcessorStatus, Processors};
pub use refusal::{Area, Refusal, Rule};
pub use start_information::{start_information, start_memory_map};
