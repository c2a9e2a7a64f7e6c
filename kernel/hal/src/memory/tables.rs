//! Page tables as atomics in the linear map.

use core::ptr;
use core::sync::atomic::{AtomicU64, Ordering};

use abi_x86::{PageTableEntry, TABLE_ENTRIES};
use page_tables::Tables;

use super::frame_kind::PageTable;
use super::frames::Frames;
use super::region::virtual_address;

/// The tables that the builder made and those made of frames since. They lie in
/// the region, so all of them are in the linear map.
pub(super) struct LinearTables;

impl LinearTables {
    /// An entry. Processors read it at any time.
    pub(super) fn entry(table: u64, index: usize) -> &'static AtomicU64 {
        assert!(index < TABLE_ENTRIES, "levels count their entries up to 511");
        let entry = virtual_address(table) as usize + index * size_of::<u64>();
        // SAFETY: INV-TABLES-1: the table is one of the kernel's, which are
        // mapped, aligned and reached by Rust as atomics only.
        unsafe { AtomicU64::from_ptr(ptr::with_exposed_provenance_mut(entry)) }
    }
}

impl Tables for LinearTables {
    fn allocate(&mut self) -> Option<u64> {
        let frames = Frames::<PageTable>::allocate(1).ok()?;
        Some(frames.into_raw().0)
    }

    fn release(&mut self, table: u64) {
        // SAFETY: INV-TABLES-1: only tables that `allocate` gave are released,
        // once, when nothing leads to them any more.
        drop(unsafe { Frames::<PageTable>::from_raw(table, 1) });
    }

    fn read(&self, table: u64, index: usize) -> PageTableEntry {
        PageTableEntry::from_bits(Self::entry(table, index).load(Ordering::Relaxed))
    }

    fn write(&mut self, table: u64, index: usize, entry: PageTableEntry) {
        Self::entry(table, index).store(entry.bits(), Ordering::Release);
    }
}
