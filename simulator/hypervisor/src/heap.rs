//! The heap, for what the model and its callers allocate.
//!
//! One range of memory, given once. What is allocated there is bounded by the
//! options of a run (the reverse map, tables of processors), not by what the
//! guest does.

use abi_simulator::MAX_MEMORY;
use abi_x86::SIZE_4K;
use linked_list_allocator::LockedHeap;

use crate::memory::Memory;
use crate::page::PAGE_SIZE;

/// Bytes of the heap: four per page of a guest with the most memory, and twice
/// as much for all else.
const SIZE: usize = 3 * 4 * (MAX_MEMORY / SIZE_4K) as usize;

#[global_allocator]
static HEAP: LockedHeap = LockedHeap::empty();

/// There is not enough memory for the heap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is not enough memory for the simulator's heap: start QEMU with more")]
pub(crate) struct NoMemory;

/// Gives the heap its memory. Called once, before anything is allocated.
///
/// # Errors
///
/// [`NoMemory`].
pub(crate) fn prepare(memory: &mut Memory) -> Result<(), NoMemory> {
    let start = memory.take_range(SIZE / PAGE_SIZE).ok_or(NoMemory)?;
    // SAFETY: INV-HV-MEMORY-1: the range was handed out just now, to nobody
    // else, and lives for ever. The heap is empty: this is called once.
    unsafe { HEAP.lock().init(start, SIZE) };
    Ok(())
}
