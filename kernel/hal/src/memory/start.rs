//! Memory starts: from a boot block to an allocator.

use core::ops::Range;
use core::ptr;
use core::slice;

use abi_boot::{BootBlock, PAGE_SIZE};
use frame_allocator::{AddError, FrameAllocator, FrameEntry};

use super::free_memory::free_memory;
use super::region::virtual_address;
use super::shared::{PageConversion, set_conversion};
use super::{frame_cache, frame_pool, kernel_space, region, windows};
use crate::OutOfMemory;
use crate::control_registers::note_kernel_tables;

/// Why memory cannot start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum StartError {
    /// No piece of free memory is large enough for what is to be noted.
    #[error("the region has no {0} free bytes in one piece: enlarge region.size in the manifest")]
    NoRoom(u64),
    /// The boot block describes free memory that cannot be.
    #[error("the boot block is at fault: {0}")]
    FreeMemory(#[from] AddError),
    /// There is free memory, but not as much as every processor needs.
    #[error("{0}, before all processors had some: enlarge region.size in the manifest")]
    OutOfMemory(#[from] OutOfMemory),
}

/// Makes the region's free memory available. On platforms where memory has to
/// be validated, it is. `conversion` is how the platform shares pages.
///
/// # Errors
///
/// See [`StartError`].
///
/// # Panics
///
/// Memory has started before.
pub(crate) fn start(
    block: BootBlock<'static>,
    conversion: &'static dyn PageConversion,
) -> Result<(), StartError> {
    // The sum does not overflow in a checked block.
    region::set(block.region_base..block.region_base + block.region_size);
    let frames = block.region_size / PAGE_SIZE;
    let size = (frames * size_of::<FrameEntry>() as u64).next_multiple_of(PAGE_SIZE);
    let place = place_at_end(&block, size).ok_or(StartError::NoRoom(size))?;
    let first = ptr::with_exposed_provenance_mut(virtual_address(place.start) as usize);
    // SAFETY: INV-FRAME-1: free memory of a checked boot block is mapped and
    // nobody's until now; this piece is not added to the allocator below. Any
    // bytes are entries.
    let entries: &'static mut [FrameEntry] =
        unsafe { slice::from_raw_parts_mut(first, frames as usize) };
    let mut pool = FrameAllocator::new(block.region_base, entries);
    for free in free_memory(&block) {
        // The place is the end of one of the pieces.
        let end = if free.contains(&place.start) { place.start } else { free.end };
        pool.add(free.start..end)?;
    }
    frame_pool::set(pool);
    kernel_space::set(block);
    note_kernel_tables();
    set_conversion(conversion);
    // The processor that runs is one, whatever the boot block says.
    let processors = block.max_vcpus.max(1);
    frame_cache::start(processors)?;
    windows::start(processors)?;
    Ok(())
}

/// The last `size` bytes of the last piece of free memory that has as many.
fn place_at_end(block: &BootBlock<'_>, size: u64) -> Option<Range<u64>> {
    let large_enough = free_memory(block).filter(|free| free.end - free.start >= size);
    large_enough.last().map(|free| free.end - size..free.end)
}
