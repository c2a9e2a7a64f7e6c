//! How much physical memory is mapped.
//!
//! The entry code's page tables map it where it is, in one table of 1 GiB pages.

use abi_x86::{SIZE_1G, TABLE_ENTRIES};

/// First address that is not mapped: 512 GiB.
pub(crate) const MAPPED_END: u64 = SIZE_1G * TABLE_ENTRIES as u64;
