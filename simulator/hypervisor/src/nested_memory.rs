//! A guest's physical memory, as its nested page tables lay it out.
//!
//! Wraps `nested_paging`'s tables so that safe code cannot lead a guest to
//! memory that is not the guest's: only [`Page`]s can be mapped, and whoever has
//! one allows for changes by others (INV-HV-NESTED-1).

use abi_snp::PageSize;
use abi_x86::PageTableEntry;
use nested_paging::{Access, Error, Mapping, NestedPageTable, Tables};

use crate::memory::Memory;
use crate::page::Page;

/// Nested page tables.
///
/// They are never taken apart as a whole: a virtual processor may use them.
pub(crate) struct NestedMemory {
    table: NestedPageTable,
}

impl NestedMemory {
    /// Tables that map nothing.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`].
    pub(crate) fn new(memory: &mut Memory) -> Result<Self, Error> {
        Ok(Self { table: NestedPageTable::new(&mut TablePages(memory))? })
    }

    /// Physical address of the top table.
    pub(crate) fn root(&self) -> u64 {
        self.table.root()
    }

    /// Maps `page` at guest physical `address`, C-bit included.
    ///
    /// # Errors
    ///
    /// As [`NestedPageTable::map`].
    pub(crate) fn map(
        &mut self,
        memory: &mut Memory,
        address: u64,
        page: &'static Page,
        access: Access,
    ) -> Result<(), Error> {
        let mapping = Mapping { page: page.address(), size: PageSize::Size4K, access };
        self.table.map(&mut TablePages(memory), address, mapping)
    }

    /// Maps 2 MiB at guest physical `address`, C-bit included.
    ///
    /// # Errors
    ///
    /// As [`NestedPageTable::map`].
    pub(crate) fn map_large(
        &mut self,
        memory: &mut Memory,
        address: u64,
        pages: &'static [Page; 512],
        access: Access,
    ) -> Result<(), Error> {
        let mapping = Mapping { page: pages[0].address(), size: PageSize::Size2M, access };
        self.table.map(&mut TablePages(memory), address, mapping)
    }

    /// Unmaps the page at guest physical `address`.
    ///
    /// # Errors
    ///
    /// As [`NestedPageTable::unmap`].
    pub(crate) fn unmap(
        &mut self,
        memory: &mut Memory,
        address: u64,
        size: PageSize,
    ) -> Result<(), Error> {
        self.table.unmap(&mut TablePages(memory), address, size).map(drop)
    }

    /// Maps nothing in the `size` bytes at guest physical `address`, whatever
    /// was mapped there.
    ///
    /// # Errors
    ///
    /// As [`NestedPageTable::clear`].
    pub(crate) fn clear(
        &mut self,
        memory: &mut Memory,
        address: u64,
        size: PageSize,
    ) -> Result<(), Error> {
        self.table.clear(&mut TablePages(memory), address, size)
    }

    /// Changes what the page at guest physical `address` allows.
    ///
    /// # Errors
    ///
    /// As [`NestedPageTable::protect`].
    pub(crate) fn protect(
        &mut self,
        memory: &mut Memory,
        address: u64,
        size: PageSize,
        access: Access,
    ) -> Result<(), Error> {
        self.table.protect(&mut TablePages(memory), address, size, access)
    }

    /// Makes 512 small pages of the large one at guest physical `address`.
    ///
    /// # Errors
    ///
    /// As [`NestedPageTable::split`].
    pub(crate) fn split(&mut self, memory: &mut Memory, address: u64) -> Result<(), Error> {
        self.table.split(&mut TablePages(memory), address)
    }
}

/// Page tables on pages of free memory.
///
/// INV-HV-NESTED-2: only [`NestedPageTable`] calls it, with tables that it got
/// from here and has not released.
struct TablePages<'a>(&'a mut Memory);

fn table_page(address: u64) -> &'static Page {
    // SAFETY: INV-HV-NESTED-2: the page was handed out as a `Page` and is not
    // used as anything else.
    unsafe { &Page::slice_at(address, 1)[0] }
}

impl Tables for TablePages<'_> {
    fn allocate(&mut self) -> Option<u64> {
        self.0.take_page().map(Page::address)
    }

    fn release(&mut self, table: u64) {
        // SAFETY: INV-HV-NESTED-2: nothing leads to the table any more. The
        // guest does not run, and the next run drops all cached translations.
        unsafe { self.0.give_back(table) }
    }

    fn read(&self, table: u64, index: usize) -> PageTableEntry {
        PageTableEntry::from_bits(table_page(table).word(index))
    }

    fn write(&mut self, table: u64, index: usize, entry: PageTableEntry) {
        table_page(table).set_word(index, entry.bits());
    }
}
