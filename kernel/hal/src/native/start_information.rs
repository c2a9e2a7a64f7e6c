//! Where the loader left its data, and its map of memory.

use core::sync::atomic::{AtomicU64, Ordering};

use platform_parameters::{MemoryMap, MemoryRange, Refusal, start_information, start_memory_map};

use super::outside_memory::OutsideMemory;

/// Physical address of the PVH loader's start information; 0 for none.
static ADDRESS: AtomicU64 = AtomicU64::new(0);

/// Keeps the address that the 64-bit entry was given.
pub(crate) fn keep(address: u64) {
    ADDRESS.store(address, Ordering::Relaxed);
}

/// Address of the ACPI root pointer, 0 for none; `None` without start
/// information.
pub(super) fn root_pointer() -> Option<Result<u64, Refusal>> {
    let address = ADDRESS.load(Ordering::Relaxed);
    (address != 0).then(|| Ok(start_information(&OutsideMemory, address)?.rsdp))
}

/// A PVH loader's map of memory: `storage` takes its ranges and bounds their
/// number, `limit` is the first address that is too high. `None` without start
/// information, which other loaders do not give.
///
/// # Errors
///
/// The map cannot be used.
pub fn memory_map(
    storage: &mut [MemoryRange],
    limit: u64,
) -> Option<Result<MemoryMap<'_>, Refusal>> {
    let address = ADDRESS.load(Ordering::Relaxed);
    (address != 0).then(|| {
        let information = start_information(&OutsideMemory, address)?;
        start_memory_map(&OutsideMemory, &information, storage, limit)
    })
}
