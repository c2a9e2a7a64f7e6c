//! The state of every page of the VM, from the loader's memory map.
//!
//! The memory map is the host's word. What it says there is, is taken as memory
//! that nobody has accepted yet; the module's own region is the module's,
//! whatever the map says of it.

use alloc::vec::Vec;

use abi_boot::{BootBlock, GuestStart, PAGE_SIZE, Part, PartKind, Platform};
use hal::heap::TryPush;
use hal::sync::Once;
use hal::{OutOfMemory, StopReason, stop};
use kernel_log::{log_for_host, log_for_tenant};
use page_state::{ChunkWord, DetailBlock, GrowingBlocks, Owner, PageAccount, PageState, Refusal};
use platform_parameters::{MemoryKind, MemoryMap, MemoryRange};

use crate::loader_areas::loader_areas;

static TABLE: Once<PageAccount> = Once::new();

/// What single pages are noted in.
static BLOCKS: GrowingBlocks = GrowingBlocks::new();

/// Most ranges of a memory map.
const MOST_RANGES: usize = 128;

/// Chunks of 2 MiB that can have pages of different states at a time, unless the
/// guest gives memory for more: each takes 264 bytes.
const MOST_MIXED_CHUNKS: usize = 512;

/// The first address that is too high where the platform has no C-bit.
const MOST_MEMORY: u64 = 1 << 46;

/// The state of every page; `None` on a plain virtual machine whose loader gives
/// no memory map, or none that can be used.
#[must_use]
pub fn table() -> Option<&'static PageAccount> {
    TABLE.get()
}

/// Makes the table from the loader's memory map.
///
/// On SEV-SNP, stops the machine if the map cannot be used: without it the module
/// could not tell memory from what is none. A plain virtual machine is not
/// protected from its host anyway.
pub(crate) fn start(block: &BootBlock<'static>) {
    let limit = if block.c_bit_mask == 0 { MOST_MEMORY } else { block.c_bit_mask };
    let mut ranges = [MemoryRange::EMPTY; MOST_RANGES];
    let map = match memory_map(block, &mut ranges, limit) {
        None => return,
        Some(Ok(map)) => map,
        Some(Err(refusal)) if block.platform == Platform::NATIVE => {
            log_for_host!(Warning, "{refusal}: no account of pages is kept");
            return;
        }
        Some(Err(refusal)) => {
            log_for_host!(Error, "{refusal}");
            stop(StopReason::HostParameters)
        }
    };
    match make(block, &map) {
        Ok(table) => {
            let mib = map.size_of(MemoryKind::Memory) >> 20;
            let count = |state| table.count(state);
            log_for_tenant!(
                Info,
                "pages: {mib} MiB of memory, {} pages of the module, {} to be validated",
                count(PageState::Validated(Owner::Module)),
                count(PageState::Unvalidated),
            );
            assert!(TABLE.set(table).is_ok(), "pages are started once");
        }
        Err(Unmade::OutOfMemory) => {
            log_for_host!(Error, "the memory map has too much memory for the module's region");
            stop(StopReason::HostParameters)
        }
        Err(Unmade::Refused(refusal)) => {
            log_for_host!(Error, "the host's memory map: {refusal}");
            stop(StopReason::HostParameters)
        }
    }
}

/// The loader's memory map: from the areas that it fills in, or, where nobody
/// does, from what it tells a kernel that it starts.
fn memory_map<'a>(
    block: &BootBlock<'_>,
    ranges: &'a mut [MemoryRange],
    limit: u64,
) -> Option<Result<MemoryMap<'a>, platform_parameters::Refusal>> {
    if block.platform == Platform::NATIVE {
        return hal::start_memory_map(ranges, limit);
    }
    Some(loader_areas(block).memory(ranges, limit))
}

/// Why there is no table.
enum Unmade {
    OutOfMemory,
    Refused(Refusal),
}

impl From<OutOfMemory> for Unmade {
    fn from(_: OutOfMemory) -> Self {
        Self::OutOfMemory
    }
}

impl From<Refusal> for Unmade {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

fn make(block: &BootBlock<'_>, map: &MemoryMap<'_>) -> Result<PageAccount, Unmade> {
    // Checked blocks do not overflow.
    let region_end = block.region_base.saturating_add(block.region_size);
    let parts_end = block.guest_parts().map(Part::end).max().unwrap_or(0);
    let kernel_memory = guest_kernel_memory(block);
    let kernel_end = kernel_memory.end * PAGE_SIZE;
    let words = PageAccount::words_for(map.end().max(region_end).max(parts_end).max(kernel_end));
    let words = usize::try_from(words).map_err(|_| OutOfMemory)?;
    let chunks = filled(words, ChunkWord::new)?;
    BLOCKS.add(filled(MOST_MIXED_CHUNKS, DetailBlock::new)?).map_err(|_| OutOfMemory)?;
    let mut table = PageAccount::new(chunks, &BLOCKS);
    for range in map.ranges().iter().filter(|range| range.kind == MemoryKind::Memory) {
        table.declare(pages(range.start, range.end()), PageState::Unvalidated)?;
    }
    // The image demands it of the loader, whose map may leave it out.
    table.declare(kernel_memory, PageState::Unvalidated)?;
    let module = PageState::Validated(Owner::Module);
    table.declare(pages(block.region_base, region_end), module)?;
    // Launched with the image, and so validated; the module's until it gives
    // them away.
    for part in block.guest_parts() {
        table.declare(pages(part.gpa, part.end()), module)?;
    }
    Ok(table)
}

/// The memory that the guest's kernel uses before it looks what there is; empty
/// without a guest.
fn guest_kernel_memory(block: &BootBlock<'_>) -> core::ops::Range<u64> {
    let part = block.parts_of(PartKind::GUEST_START).next();
    let start = part.and_then(hal::image::content).and_then(|it| GuestStart::parse(it).ok());
    let Some(GuestStart { kernel_memory, kernel_memory_size, .. }) = start else { return 0..0 };
    // A checked record does not overflow.
    pages(kernel_memory, kernel_memory + kernel_memory_size)
}

/// Numbers of the pages between two addresses.
const fn pages(start: u64, end: u64) -> core::ops::Range<u64> {
    start / PAGE_SIZE..end / PAGE_SIZE
}

/// A list that lives for ever.
fn filled<T>(count: usize, new: fn() -> T) -> Result<&'static [T], OutOfMemory> {
    let mut list = Vec::new();
    list.try_reserve_exact(count).map_err(|_| OutOfMemory)?;
    for _ in 0..count {
        list.try_push(new())?;
    }
    Ok(list.leak())
}
