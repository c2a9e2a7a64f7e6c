//! Who has which addresses of the last GiB.
//!
//! | from | what |
//! |---|---|
//! | `0xffff_ffff_c000_0000` | stacks, in slots of 64 KiB (`stacks.rs`) |
//! | `0xffff_ffff_c800_0000` | windows, six pages for each processor (`windows.rs`) |
//! | `0xffff_ffff_cc00_0000` | pages that were adopted (`adoption.rs`) |
//! | `0xffff_ffff_d000_0000` | large windows, 2 MiB for each processor (`windows.rs`) |
//!
//! All need so little of it that each owner has a place for ever, and nobody
//! has to look for a free range. The rest is free.

use abi_boot::{MAX_REGION_SIZE, VIRTUAL_BASE};

/// First address behind the linear map, however large the region is.
pub(super) const DYNAMIC_START: u64 = VIRTUAL_BASE + MAX_REGION_SIZE;

/// First address of the stacks' slots.
pub(super) const STACKS: u64 = DYNAMIC_START;

/// Number of the stacks' slots.
pub(super) const STACK_SLOTS: usize = 2048;

/// Bytes in a slot.
pub(super) const STACK_SLOT_SIZE: u64 = 1 << 16;

/// First address of the windows.
pub(super) const WINDOWS: u64 = 0xffff_ffff_c800_0000;

/// First address of the pages that were adopted.
pub(super) const ADOPTED: u64 = 0xffff_ffff_cc00_0000;

/// First address of the large windows.
pub(super) const LARGE_WINDOWS: u64 = 0xffff_ffff_d000_0000;

const _: () = assert!(STACKS + STACK_SLOTS as u64 * STACK_SLOT_SIZE <= WINDOWS);
