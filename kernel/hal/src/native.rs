//! A plain virtual machine: its loader's data, and how its processors start.
//!
//! The platform's face towards the rest of the kernel is `platform/native.rs`.
//!
//! | file | what |
//! |---|---|
//! | `outside_memory` | memory that the loader left its data in |
//! | `start_information` | where that data lies, and the memory map |
//! | `processor_list` | which processors there are |
//! | `trampoline` | first instructions of a processor, in real mode |
//! | `arrivals` | each processor that comes takes a place |
//! | `processors` | all this in order |

mod arrivals;
#[cfg(target_os = "none")]
mod outside_memory;
#[cfg(target_os = "none")]
mod processor_list;
#[cfg(target_os = "none")]
mod processors;
#[cfg(target_os = "none")]
mod start_information;
mod trampoline;

pub(crate) use arrivals::{ARRIVALS, Arrivals, PLACES};
#[cfg(target_os = "none")]
pub(crate) use processor_list::processor_list;
#[cfg(target_os = "none")]
pub(crate) use processors::start as start_processors;
#[cfg(target_os = "none")]
pub(crate) use start_information::keep;
#[cfg(target_os = "none")]
pub use start_information::memory_map;
pub(crate) use trampoline::DATA_32_SELECTOR;
