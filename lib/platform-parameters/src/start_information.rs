//! Start information of a PVH loader, and its map of memory.
//!
//! [Xen xen/include/public/arch-x86/hvm/start_info.h]. Ranges are bytes, not
//! pages: what counts as memory are the whole pages in ranges of memory. Kinds
//! other than memory only keep memory away: no two ranges may overlap.

use abi_pvh::{MemoryKind as PvhKind, MemoryRange as PvhRange, StartInfo};
use zerocopy::FromBytes;

use crate::memory_map::{
    MemoryKind, MemoryMap, MemoryRange, PAGE_SIZE, in_order, page_range, sort,
};
use crate::physical_memory::PhysicalMemory;
use crate::refusal::{Area, Refusal, Rule};

/// Reads the start information at `address`.
///
/// # Errors
///
/// The first rule that does not hold.
pub fn start_information(memory: &impl PhysicalMemory, address: u64) -> Result<StartInfo, Refusal> {
    let mut bytes = [0; StartInfo::SIZE];
    read(memory, address, &mut bytes)
        .and_then(|()| StartInfo::parse(&bytes).map_err(Rule::StartInformation))
        .map_err(|rule| rule.of(Area::StartInformation))
}

/// Reads the map of memory that start information leads to. `storage` takes the
/// ranges of memory, and all others for a moment, and bounds their number;
/// `limit` is the first address that is too high.
///
/// # Errors
///
/// The first rule that does not hold.
pub fn start_memory_map<'a>(
    memory: &impl PhysicalMemory,
    information: &StartInfo,
    storage: &'a mut [MemoryRange],
    limit: u64,
) -> Result<MemoryMap<'a>, Refusal> {
    map(memory, information, storage, limit).map_err(|rule| rule.of(Area::MemoryMap))
}

fn map<'a>(
    memory: &impl PhysicalMemory,
    information: &StartInfo,
    storage: &'a mut [MemoryRange],
    limit: u64,
) -> Result<MemoryMap<'a>, Rule> {
    let list = information.memory_map();
    let count = list.size / size_of::<PvhRange>();
    let capacity = storage.len();
    let ranges = storage.get_mut(..count).ok_or(Rule::TooManyEntries(capacity))?;
    for (index, range) in (0..).zip(ranges.iter_mut()) {
        *range = entry(memory, list.address, index)?;
    }
    sort(ranges)?;
    // What is taken goes to places that have been read already.
    let mut taken = 0;
    for index in 0..ranges.len() {
        if let Some((first_page, pages)) = whole_pages(&ranges[index]) {
            ranges[taken] = page_range(first_page, pages, MemoryKind::Memory, limit)?;
            taken += 1;
        }
    }
    let (ranges, _) = ranges.split_at_mut(taken);
    in_order(ranges)
}

/// The range of memory at this place of the list; one that is too large for
/// addresses ends with them, and so above any limit.
fn entry(memory: &impl PhysicalMemory, list: u64, index: u64) -> Result<MemoryRange, Rule> {
    let mut bytes = [0; size_of::<PvhRange>()];
    let offset = index * size_of::<PvhRange>() as u64;
    let address = list.checked_add(offset).ok_or(Rule::Unreadable(list))?;
    read(memory, address, &mut bytes)?;
    let range = PvhRange::read_from_bytes(&bytes).map_err(|_| Rule::Unreadable(address))?;
    let kind = match range.kind {
        PvhKind::RAM => MemoryKind::Memory,
        _ => MemoryKind::Reserved,
    };
    Ok(MemoryRange { start: range.address, size: range.size, kind })
}

/// The whole pages of a range of memory: the first one, and how many; `None` if
/// there are none.
fn whole_pages(range: &MemoryRange) -> Option<(u64, u64)> {
    let (first, end) = (range.start.div_ceil(PAGE_SIZE), range.end() / PAGE_SIZE);
    let pages = end.checked_sub(first).filter(|pages| *pages != 0)?;
    (range.kind == MemoryKind::Memory).then_some((first, pages))
}

fn read(memory: &impl PhysicalMemory, address: u64, to: &mut [u8]) -> Result<(), Rule> {
    memory.read(address, to).map_err(|_| Rule::Unreadable(address))
}

#[cfg(test)]
mod tests;
