//! The memory that page tables lie in.

use abi_x86::PageTableEntry;

/// Allocates page tables and gives access to their entries.
///
/// Tables are named by their physical address, a multiple of 4096 without
/// C-bit. An index is below 512.
pub trait Tables {
    /// A table whose entries are all empty; `None` if there is no memory.
    fn allocate(&mut self) -> Option<u64>;

    /// Takes a table back that nothing leads to any more.
    fn release(&mut self, table: u64);

    /// Reads an entry.
    fn read(&self, table: u64, index: usize) -> PageTableEntry;

    /// Writes an entry, as one store that comes after all earlier ones.
    fn write(&mut self, table: u64, index: usize, entry: PageTableEntry);
}
