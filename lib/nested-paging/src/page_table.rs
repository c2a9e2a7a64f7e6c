//! Nested page tables of five levels.

use abi_snp::PageSize;
use abi_x86::{EntryFlags, Level, PageTableEntry, SIZE_4K, TABLE_ENTRIES};

use crate::tables::Tables;

/// Guest physical addresses have at most 52 bits [APM 24593 §5.3].
const ADDRESS_END: u64 = 1 << 52;

/// What a page allows beyond reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access(u8);

bitflags::bitflags! {
    impl Access: u8 {
        /// Writing.
        const WRITE = 1 << 0;
        /// Fetching instructions.
        const EXECUTE = 1 << 1;
    }
}

/// The level of tables whose entries map pages of `size`.
const fn level_of(size: PageSize) -> Level {
    match size {
        PageSize::Size4K => Level::PageTable,
        PageSize::Size2M => Level::PageDirectory,
    }
}

/// What an address leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// Physical address of the page's first byte.
    pub page: u64,
    /// The page's size.
    pub size: PageSize,
    /// What it allows beyond reading.
    pub access: Access,
}

/// Why tables were not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The guest physical address has more than 52 bits.
    #[error("guest physical address {0:#x} has more than 52 bits")]
    OutOfRange(u64),
    /// An address is not a multiple of the page's size.
    #[error("address {0:#x} is not a multiple of the page's size")]
    Unaligned(u64),
    /// Something is mapped there already.
    #[error("guest physical address {0:#x} is mapped already")]
    Occupied(u64),
    /// Nothing is mapped there, or a page of another size.
    #[error("guest physical address {0:#x} does not start a page of this size")]
    NotMapped(u64),
    /// There is no memory for another table.
    #[error("there is no memory for another page table")]
    OutOfMemory,
}

/// A tree of page tables with five levels. It owns its tables; they lie in the
/// [`Tables`] that each call is given, always the same.
#[derive(Debug)]
pub struct NestedPageTable {
    root: u64,
}

/// An entry by its place.
#[derive(Clone, Copy)]
struct Place {
    table: u64,
    index: usize,
}

impl Place {
    fn of(table: u64, level: Level, address: u64) -> Self {
        Self { table, index: level.index(address) }
    }

    fn read(self, tables: &impl Tables) -> PageTableEntry {
        tables.read(self.table, self.index)
    }

    fn write(self, tables: &mut impl Tables, entry: PageTableEntry) {
        tables.write(self.table, self.index, entry);
    }
}

impl NestedPageTable {
    /// Tables that map nothing.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`].
    pub fn new(tables: &mut impl Tables) -> Result<Self, Error> {
        tables.allocate().map(|root| Self { root }).ok_or(Error::OutOfMemory)
    }

    /// Physical address of the top table: the nested CR3.
    #[must_use]
    pub const fn root(&self) -> u64 {
        self.root
    }

    /// Maps the page at guest physical `address` to physical memory.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`] and [`Error::Unaligned`] for bad addresses,
    /// [`Error::Occupied`] if any part of the page is mapped already,
    /// [`Error::OutOfMemory`]; nothing is mapped then.
    pub fn map(
        &mut self,
        tables: &mut impl Tables,
        address: u64,
        mapping: Mapping,
    ) -> Result<(), Error> {
        let Mapping { page, size, access } = mapping;
        check(address, size)?;
        let entry = leaf(page, size, access).ok_or(Error::Unaligned(page))?;
        let mut level = Level::Pml5;
        let mut place = Place::of(self.root, level, address);
        while level != level_of(size) {
            let table = next_table(tables, place, address)?;
            // A level above a page's has one below.
            level = level.below().ok_or(Error::OutOfRange(address))?;
            place = Place::of(table, level, address);
        }
        if place.read(tables).is_present() {
            release_if_empty(tables, place, level).ok_or(Error::Occupied(address))?;
        }
        place.write(tables, entry);
        Ok(())
    }

    /// Maps nothing where the page of this size at guest physical `address`
    /// was, and says what it led to. Tables that become empty stay, until a
    /// large page takes their place.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`] and [`Error::Unaligned`] for bad addresses,
    /// [`Error::NotMapped`].
    pub fn unmap(
        &mut self,
        tables: &mut impl Tables,
        address: u64,
        size: PageSize,
    ) -> Result<Mapping, Error> {
        let (place, mapping) = self.page(tables, address, size)?;
        place.write(tables, PageTableEntry::EMPTY);
        Ok(mapping)
    }

    /// Maps nothing in the `size` bytes at guest physical `address`, whatever
    /// was mapped there: pages of either size, or none. A large page that holds
    /// a small one goes as a whole.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`] and [`Error::Unaligned`] for bad addresses.
    pub fn clear(
        &mut self,
        tables: &mut impl Tables,
        address: u64,
        size: PageSize,
    ) -> Result<(), Error> {
        check(address, size)?;
        let mut level = Level::Pml5;
        let mut place = Place::of(self.root, level, address);
        loop {
            let entry = place.read(tables);
            if !entry.is_present() {
                return Ok(());
            }
            let table = entry.address(0);
            if level == Level::PageTable || is_leaf(entry) {
                place.write(tables, PageTableEntry::EMPTY);
                return Ok(());
            }
            if level == level_of(size) {
                (0..TABLE_ENTRIES).for_each(|index| {
                    tables.write(table, index, PageTableEntry::EMPTY);
                });
                return Ok(());
            }
            let Some(below) = level.below() else { return Ok(()) };
            level = below;
            place = Place::of(table, level, address);
        }
    }

    /// Changes what the page of this size at guest physical `address` allows.
    ///
    /// # Errors
    ///
    /// As [`unmap`](Self::unmap).
    pub fn protect(
        &mut self,
        tables: &mut impl Tables,
        address: u64,
        size: PageSize,
        access: Access,
    ) -> Result<(), Error> {
        let (place, mapping) = self.page(tables, address, size)?;
        let entry = leaf(mapping.page, size, access).ok_or(Error::Unaligned(mapping.page))?;
        place.write(tables, entry);
        Ok(())
    }

    /// Replaces the large page at guest physical `address` by 512 small ones
    /// that lead to the same memory and allow the same.
    ///
    /// # Errors
    ///
    /// As [`unmap`](Self::unmap), and [`Error::OutOfMemory`].
    pub fn split(&mut self, tables: &mut impl Tables, address: u64) -> Result<(), Error> {
        let (place, mapping) = self.page(tables, address, PageSize::Size2M)?;
        let table = tables.allocate().ok_or(Error::OutOfMemory)?;
        let entry = pointer(table).ok_or(Error::Unaligned(table))?;
        for (index, page) in
            (mapping.page..).step_by(SIZE_4K as usize).take(TABLE_ENTRIES).enumerate()
        {
            let small =
                leaf(page, PageSize::Size4K, mapping.access).ok_or(Error::Unaligned(page))?;
            tables.write(table, index, small);
        }
        place.write(tables, entry);
        Ok(())
    }

    /// What guest physical `address`, which need not be aligned, leads to.
    #[must_use]
    pub fn lookup(&self, tables: &impl Tables, address: u64) -> Option<Mapping> {
        self.find(tables, address).map(|(_, mapping)| mapping)
    }

    /// The page of this size that starts at `address`.
    fn page(
        &self,
        tables: &impl Tables,
        address: u64,
        size: PageSize,
    ) -> Result<(Place, Mapping), Error> {
        check(address, size)?;
        let found = self.find(tables, address).filter(|(_, mapping)| mapping.size == size);
        found.ok_or(Error::NotMapped(address))
    }

    /// The entry that maps `address`.
    fn find(&self, tables: &impl Tables, address: u64) -> Option<(Place, Mapping)> {
        if address >= ADDRESS_END {
            return None;
        }
        let mut level = Level::Pml5;
        let mut table = self.root;
        loop {
            let place = Place::of(table, level, address);
            let entry = place.read(tables);
            if !entry.is_present() {
                return None;
            }
            let size = match level {
                Level::PageTable => Some(PageSize::Size4K),
                Level::PageDirectory if is_leaf(entry) => Some(PageSize::Size2M),
                _ => None,
            };
            if let Some(size) = size {
                let mapping = Mapping { page: entry.address(0), size, access: access_of(entry) };
                return Some((place, mapping));
            }
            table = entry.address(0);
            level = level.below()?;
        }
    }
}

fn check(address: u64, size: PageSize) -> Result<(), Error> {
    if address >= ADDRESS_END {
        return Err(Error::OutOfRange(address));
    }
    if !address.is_multiple_of(size.bytes()) {
        return Err(Error::Unaligned(address));
    }
    Ok(())
}

/// The table that the entry at `place` names; a new one if it is empty.
fn next_table(tables: &mut impl Tables, place: Place, address: u64) -> Result<u64, Error> {
    let entry = place.read(tables);
    if is_leaf(entry) {
        return Err(Error::Occupied(address));
    }
    if entry.is_present() {
        return Ok(entry.address(0));
    }
    let table = tables.allocate().ok_or(Error::OutOfMemory)?;
    place.write(tables, pointer(table).ok_or(Error::Unaligned(table))?);
    Ok(table)
}

/// Releases the table that the entry at `place` names, if the entry names one
/// and the table maps nothing. `None` if something is mapped.
fn release_if_empty(tables: &mut impl Tables, place: Place, level: Level) -> Option<()> {
    let entry = place.read(tables);
    let table = entry.address(0);
    let holds_something = |index| tables.read(table, index).is_present();
    if level == Level::PageTable || is_leaf(entry) || (0..TABLE_ENTRIES).any(holds_something) {
        return None;
    }
    place.write(tables, PageTableEntry::EMPTY);
    tables.release(table);
    Some(())
}

/// Flags of all entries: every access of a guest counts as one of user mode
/// [APM 24593 §15.25.5], and the processor need not note that it used them.
const USED: EntryFlags = EntryFlags::PRESENT.union(EntryFlags::USER).union(EntryFlags::ACCESSED);

/// An entry that names a table.
fn pointer(table: u64) -> Option<PageTableEntry> {
    PageTableEntry::page(table, USED | EntryFlags::WRITABLE, 0)
}

/// An entry that maps a page; `None` if the page's address is unaligned or
/// reaches beyond 52 bits.
fn leaf(page: u64, size: PageSize, access: Access) -> Option<PageTableEntry> {
    let mut flags = USED | EntryFlags::DIRTY;
    flags.set(EntryFlags::WRITABLE, access.contains(Access::WRITE));
    flags.set(EntryFlags::NO_EXECUTE, !access.contains(Access::EXECUTE));
    flags.set(EntryFlags::HUGE, size == PageSize::Size2M);
    PageTableEntry::page(page, flags, 0)
}

/// Whether an entry above the lowest level maps a page.
fn is_leaf(entry: PageTableEntry) -> bool {
    entry.flags().contains(EntryFlags::PRESENT | EntryFlags::HUGE)
}

fn access_of(entry: PageTableEntry) -> Access {
    let mut access = Access::empty();
    access.set(Access::WRITE, entry.flags().contains(EntryFlags::WRITABLE));
    access.set(Access::EXECUTE, !entry.flags().contains(EntryFlags::NO_EXECUTE));
    access
}

#[cfg(test)]
mod tests;
