//! The tables, and the edits that they take.

use core::ops::Range;

use abi_x86::{EntryFlags, Level, PageTableEntry, SIZE_2M, SIZE_4K, TABLE_ENTRIES};

use crate::attributes::{Access, Attributes, Encryption};
use crate::tables::Tables;

/// Why tables were not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not a range of whole pages, or not within one half of the address space.
    #[error("{0:#x} does not bound a range of pages in one half of the address space")]
    Range(u64),
    /// No entry can hold this physical address.
    #[error("{0:#x} is not the physical address of a page")]
    Address(u64),
    /// Something is mapped there already.
    #[error("{0:#x} is mapped already")]
    Occupied(u64),
    /// Nothing is mapped there.
    #[error("{0:#x} is not mapped")]
    NotMapped(u64),
    /// There is no table of this level for this address.
    #[error("{0:#x} was not prepared for pages of this size that come and go")]
    NotPrepared(u64),
    /// There is no memory for another table.
    #[error("there is no memory for another page table")]
    OutOfTables,
}

/// What a virtual address leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapped {
    /// Physical address.
    pub address: u64,
    /// Bytes in the page: 4 KiB, 2 MiB or 1 GiB.
    pub page_size: u64,
    /// How the page is mapped.
    pub attributes: Attributes,
}

/// A tree of page tables with four levels. Its tables lie in the [`Tables`]
/// that each call is given, always the same.
#[derive(Debug)]
pub struct PageTables {
    root: u64,
    c_bit_mask: u64,
}

/// An entry that leads to no further table: a page, or nothing.
#[derive(Clone, Copy)]
struct Leaf {
    table: u64,
    level: Level,
    index: usize,
    entry: PageTableEntry,
}

impl PageTables {
    /// The tables with their top at physical address `root`, for a machine
    /// whose C-bit is `c_bit_mask`, 0 if it has none.
    #[must_use]
    pub const fn at(root: u64, c_bit_mask: u64) -> Self {
        Self { root, c_bit_mask }
    }

    /// Physical address of the top table.
    #[must_use]
    pub const fn root(&self) -> u64 {
        self.root
    }

    /// The machine's C-bit, 0 if it has none.
    #[must_use]
    pub const fn c_bit_mask(&self) -> u64 {
        self.c_bit_mask
    }

    /// What `address` leads to.
    #[must_use]
    pub fn lookup(&self, tables: &impl Tables, address: u64) -> Option<Mapped> {
        let leaf = self.leaf(tables, address);
        let page_size = leaf.level.entry_size();
        leaf.entry.is_present().then(|| Mapped {
            address: leaf.entry.address(self.c_bit_mask) + address % page_size,
            page_size,
            attributes: Attributes::of(leaf.entry, self.c_bit_mask),
        })
    }

    /// Maps `range` to physical memory from `address` on, with pages of 2 MiB
    /// where both are aligned. No processor has to forget anything.
    ///
    /// # Errors
    ///
    /// [`Error::Range`], [`Error::Address`], [`Error::Occupied`] if any page of
    /// it is mapped already, [`Error::OutOfTables`]; nothing is mapped then.
    pub fn map(
        &mut self,
        tables: &mut impl Tables,
        range: Range<u64>,
        address: u64,
        attributes: Attributes,
    ) -> Result<(), Error> {
        check(&range)?;
        let mut next = range.start;
        while next < range.end {
            let step = address
                .checked_add(next - range.start)
                .ok_or(Error::Address(address))
                .and_then(|page| self.map_page(tables, next..range.end, page, attributes));
            match step {
                Ok(size) => next += size,
                Err(error) => {
                    // Only pages that were mapped just now: nothing to split.
                    self.unmap(tables, range.start..next)?;
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Splits the pages that reach beyond `range`, so that later edits of
    /// all of it need no memory. Everything leads where it
    /// did; processors have to forget it before anything else is changed.
    ///
    /// # Errors
    ///
    /// [`Error::Range`], [`Error::OutOfTables`].
    pub fn split(&mut self, tables: &mut impl Tables, range: Range<u64>) -> Result<(), Error> {
        check(&range)?;
        self.split_at(tables, range.start)?;
        self.split_at(tables, range.end)
    }

    /// Makes `range` lead nowhere, whether it was mapped or not. Processors
    /// have to forget it.
    ///
    /// # Errors
    ///
    /// [`Error::Range`]; [`Error::OutOfTables`] if a page cannot be split,
    /// nothing is unmapped then.
    pub fn unmap(&mut self, tables: &mut impl Tables, range: Range<u64>) -> Result<(), Error> {
        self.rewrite(tables, range, |_| Some(PageTableEntry::EMPTY))
    }

    /// Changes what may be done with the pages of `range`. Processors have to
    /// forget it.
    ///
    /// # Errors
    ///
    /// As [`unmap`](Self::unmap), and [`Error::NotMapped`] if a page is not;
    /// nothing is changed then.
    pub fn protect(
        &mut self,
        tables: &mut impl Tables,
        range: Range<u64>,
        access: Access,
    ) -> Result<(), Error> {
        self.change(tables, range, |attributes| Attributes { access, ..attributes })
    }

    /// Changes who can see the pages of `range`: their mapping only, telling
    /// the host is another matter. Processors have to forget it.
    ///
    /// # Errors
    ///
    /// As [`protect`](Self::protect).
    pub fn set_encryption(
        &mut self,
        tables: &mut impl Tables,
        range: Range<u64>,
        encryption: Encryption,
    ) -> Result<(), Error> {
        self.change(tables, range, |attributes| Attributes { encryption, ..attributes })
    }

    /// Makes tables down to `lowest` for `range`, so that
    /// [`place`](Self::place) finds the entries of pages of that level.
    /// Everything leads where it did; processors have to forget it before
    /// anything else is changed.
    ///
    /// # Errors
    ///
    /// [`Error::Range`], [`Error::OutOfTables`].
    pub fn prepare(
        &mut self,
        tables: &mut impl Tables,
        range: Range<u64>,
        lowest: Level,
    ) -> Result<(), Error> {
        check(&range)?;
        let table_size = lowest.entry_size().saturating_mul(TABLE_ENTRIES as u64);
        let mut next = range.start;
        while next < range.end {
            let leaf = self.leaf(tables, next);
            if leaf.level <= lowest {
                next = (next | (table_size - 1)).saturating_add(1);
            } else if leaf.entry.is_present() {
                self.split_page(tables, leaf, next)?;
            } else {
                self.add_tables(tables, leaf, next, lowest)?;
            }
        }
        Ok(())
    }

    /// Where the entry for the page of `level` at `address` is: its table, and
    /// its index there. It stays there as long as the tables do.
    ///
    /// Whoever has the page to itself can store [entries](Self::page) and
    /// [`PageTableEntry::EMPTY`] there, whatever it was before: each change is
    /// one store, so that those who change different pages need not know of each
    /// other. Processors have to forget a page that was there.
    ///
    /// # Errors
    ///
    /// [`Error::NotPrepared`] if there is no table of this level for it, or one
    /// of a lower level.
    pub fn place(
        &self,
        tables: &impl Tables,
        address: u64,
        level: Level,
    ) -> Result<(u64, usize), Error> {
        let leaf = self.leaf(tables, address);
        if leaf.level == level {
            Ok((leaf.table, leaf.index))
        } else {
            Err(Error::NotPrepared(address))
        }
    }

    /// The entry of a table of `level` (4 KiB or 2 MiB) that leads to the page at
    /// physical address `page`.
    ///
    /// # Errors
    ///
    /// [`Error::Address`].
    #[inline(always)]
    pub fn page(
        &self,
        level: Level,
        page: u64,
        attributes: Attributes,
    ) -> Result<PageTableEntry, Error> {
        let huge = match level {
            Level::PageTable => EntryFlags::empty(),
            _ => EntryFlags::HUGE,
        };
        if !page.is_multiple_of(level.entry_size()) {
            return Err(Error::Address(page));
        }
        self.page_entry(page, attributes, huge)
    }

    /// Makes the whole lower half lead nowhere and gives its tables back, but not
    /// the top one. No processor may be using these tables, nor have anything of
    /// them cached: what it walked through is somebody else's memory now.
    pub fn take_down_lower_half(&mut self, tables: &mut impl Tables) {
        for index in 0..TABLE_ENTRIES / 2 {
            let entry = tables.read(self.root, index);
            tables.write(self.root, index, PageTableEntry::EMPTY);
            if entry.is_present() {
                let table = entry.address(self.c_bit_mask);
                self.release(tables, table, Level::PageDirectoryPointer);
            }
        }
    }

    /// Gives back a table of `level` and those below.
    fn release(&mut self, tables: &mut impl Tables, table: u64, level: Level) {
        if let Some(below) = level.below() {
            for index in 0..TABLE_ENTRIES {
                let entry = tables.read(table, index);
                if entry.is_present() && !entry.flags().contains(EntryFlags::HUGE) {
                    self.release(tables, entry.address(self.c_bit_mask), below);
                }
            }
        }
        tables.release(table);
    }

    /// Rewrites all pages of `range`, which must be mapped.
    fn change(
        &mut self,
        tables: &mut impl Tables,
        range: Range<u64>,
        change: impl Fn(Attributes) -> Attributes,
    ) -> Result<(), Error> {
        check(&range)?;
        let mut next = range.start;
        while next < range.end {
            let leaf = self.leaf(tables, next);
            if !leaf.entry.is_present() {
                return Err(Error::NotMapped(next));
            }
            next = end_of(leaf, next);
        }
        let c_bit_mask = self.c_bit_mask;
        self.rewrite(tables, range, |entry| {
            let attributes = change(Attributes::of(entry, c_bit_mask));
            let flags = attributes.flags() | entry.flags() & EntryFlags::HUGE;
            let c_bit = attributes.c_bit(c_bit_mask);
            PageTableEntry::page(entry.address(c_bit_mask), flags, c_bit)
        })
    }

    /// Splits the pages that `range` cuts, then replaces each entry of a page
    /// in it.
    fn rewrite(
        &mut self,
        tables: &mut impl Tables,
        range: Range<u64>,
        new: impl Fn(PageTableEntry) -> Option<PageTableEntry>,
    ) -> Result<(), Error> {
        self.split(tables, range.clone())?;
        let mut next = range.start;
        while next < range.end {
            let leaf = self.leaf(tables, next);
            if leaf.entry.is_present() {
                let Some(entry) = new(leaf.entry) else {
                    unreachable!("the address comes from an entry, so an entry can hold it");
                };
                tables.write(leaf.table, leaf.index, entry);
            }
            next = end_of(leaf, next);
        }
        Ok(())
    }

    /// Maps the first page of `range`, and returns its size.
    fn map_page(
        &mut self,
        tables: &mut impl Tables,
        range: Range<u64>,
        address: u64,
        attributes: Attributes,
    ) -> Result<u64, Error> {
        let start = range.start;
        let leaf = self.leaf(tables, start);
        if leaf.entry.is_present() {
            return Err(Error::Occupied(start));
        }
        let aligned = (start | address).is_multiple_of(SIZE_2M) && range.end - start >= SIZE_2M;
        let (lowest, huge) = if aligned && leaf.level > Level::PageTable {
            (Level::PageDirectory, EntryFlags::HUGE)
        } else {
            (Level::PageTable, EntryFlags::empty())
        };
        let page = self.page_entry(address, attributes, huge)?;
        let leaf = self.add_tables(tables, leaf, start, lowest)?;
        tables.write(leaf.table, leaf.index, page);
        Ok(leaf.level.entry_size())
    }

    /// The entry of a page, `huge` or not.
    #[inline(always)]
    fn page_entry(
        &self,
        address: u64,
        attributes: Attributes,
        huge: EntryFlags,
    ) -> Result<PageTableEntry, Error> {
        let (flags, c_bit) = (attributes.flags() | huge, attributes.c_bit(self.c_bit_mask));
        // A shared page must not become a private one by its address.
        if address & self.c_bit_mask != 0 {
            return Err(Error::Address(address));
        }
        PageTableEntry::page(address, flags, c_bit).ok_or(Error::Address(address))
    }

    /// Adds tables below an empty entry, down to `lowest`.
    fn add_tables(
        &mut self,
        tables: &mut impl Tables,
        mut leaf: Leaf,
        address: u64,
        lowest: Level,
    ) -> Result<Leaf, Error> {
        while leaf.level > lowest {
            let Some(level) = leaf.level.below() else { break };
            let table = tables.allocate().ok_or(Error::OutOfTables)?;
            tables.write(leaf.table, leaf.index, self.table_entry(table, address));
            let (index, entry) = (level.index(address), PageTableEntry::EMPTY);
            leaf = Leaf { table, level, index, entry };
        }
        Ok(leaf)
    }

    /// Makes sure that no page lies on both sides of `address`.
    fn split_at(&mut self, tables: &mut impl Tables, address: u64) -> Result<(), Error> {
        loop {
            let leaf = self.leaf(tables, address);
            if !leaf.entry.is_present() || address.is_multiple_of(leaf.level.entry_size()) {
                return Ok(());
            }
            self.split_page(tables, leaf, address)?;
        }
    }

    /// Replaces a large page at `address` by a table of smaller ones that lead
    /// to the same memory in the same way.
    fn split_page(
        &mut self,
        tables: &mut impl Tables,
        leaf: Leaf,
        address: u64,
    ) -> Result<(), Error> {
        let Some(level) = leaf.level.below() else {
            unreachable!("pages of the lowest level begin at every address that is asked for");
        };
        let table = tables.allocate().ok_or(Error::OutOfTables)?;
        let attributes = Attributes::of(leaf.entry, self.c_bit_mask);
        let huge = if level == Level::PageTable { EntryFlags::empty() } else { EntryFlags::HUGE };
        let (flags, c_bit) = (attributes.flags() | huge, attributes.c_bit(self.c_bit_mask));
        let mut page = leaf.entry.address(self.c_bit_mask);
        for index in 0..TABLE_ENTRIES {
            let Some(entry) = PageTableEntry::page(page, flags, c_bit) else {
                unreachable!("all parts of a page have addresses that an entry can hold");
            };
            tables.write(table, index, entry);
            page += level.entry_size();
        }
        tables.write(leaf.table, leaf.index, self.table_entry(table, address));
        Ok(())
    }

    /// An entry for `address` that names a table. User mode may pass in the
    /// lower half, where the pages decide about it.
    fn table_entry(&self, table: u64, address: u64) -> PageTableEntry {
        let base = EntryFlags::PRESENT | EntryFlags::WRITABLE | EntryFlags::ACCESSED;
        let user = if is_upper(address) { EntryFlags::empty() } else { EntryFlags::USER };
        let Some(entry) = PageTableEntry::page(table, base | user, self.c_bit_mask) else {
            unreachable!("tables lie at physical addresses of pages, without C-bit");
        };
        entry
    }

    /// Walks to the entry for `address` that leads no further.
    fn leaf(&self, tables: &impl Tables, address: u64) -> Leaf {
        let (mut table, mut level) = (self.root, Level::Pml4);
        loop {
            let index = level.index(address);
            let entry = tables.read(table, index);
            let huge = entry.flags().contains(EntryFlags::HUGE);
            match level.below() {
                Some(below) if entry.is_present() && !huge => {
                    (table, level) = (entry.address(self.c_bit_mask), below);
                }
                _ => return Leaf { table, level, index, entry },
            }
        }
    }
}

/// First address behind what the entry for `address` covers. Saturates at the
/// end of the address space, where no range reaches.
const fn end_of(leaf: Leaf, address: u64) -> u64 {
    (address | (leaf.level.entry_size() - 1)).saturating_add(1)
}

/// Whether `address` lies in the half of the address space that is the
/// kernel's.
const fn is_upper(address: u64) -> bool {
    address >> 47 != 0
}

/// Checks that a range is one of whole pages in one half.
fn check(range: &Range<u64>) -> Result<(), Error> {
    for address in [range.start, range.end] {
        if !address.is_multiple_of(SIZE_4K) {
            return Err(Error::Range(address));
        }
    }
    let lower = range.end <= 1 << 47;
    let upper = range.start >= !0 << 47;
    if range.start <= range.end && (lower || upper) { Ok(()) } else { Err(Error::Range(range.end)) }
}

#[cfg(test)]
mod tests;
