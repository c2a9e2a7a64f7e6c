//! Initial page tables, as data.
//!
//! Four levels of 4 KiB tables with leaves of 4 KiB and 2 MiB. The tables are
//! built without knowing where they will lie: entries that point to tables get
//! their addresses in [`PageTables::to_bytes`]. So the layout can ask how many
//! pages they take before it decides where to put them.
//!
//! Every entry, leaf or not, carries the C-bit mask. Leaves have Accessed set
//! and, if writable, Dirty, so that the processor never writes to the tables;
//! what is not executable has NX set. Nothing is Global and nothing is
//! accessible to user mode. Entries that point to tables allow everything: the
//! leaf decides.
//!
//! Specification: [APM 24593 §5.3, §5.4, §15.34.1].

use abi_boot::Access;
use abi_x86::{EntryFlags, Level, PageTableEntry, SIZE_2M, SIZE_4K, TABLE_ENTRIES};

/// Which leaves a range may be mapped with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaves {
    /// 4 KiB only, so that permissions can be changed page by page.
    Small,
    /// 2 MiB wherever a whole aligned 2 MiB of the range allows it.
    LargeWhereAligned,
}

/// A contiguous range of addresses to map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// First virtual address, page-aligned.
    pub virtual_address: u64,
    /// Physical address it leads to, page-aligned.
    pub gpa: u64,
    /// Bytes, a multiple of the page size.
    pub size: u64,
    /// What may be done there; not empty.
    pub access: Access,
    /// Leaf sizes allowed.
    pub leaves: Leaves,
}

/// Why a range cannot be mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// An address or the size is not a multiple of 4096, or the range wraps.
    #[error("{0:#x}: a mapping must be page-aligned and must not wrap")]
    Unaligned(u64),
    /// Something is mapped there already.
    #[error("{0:#x} is mapped twice")]
    Occupied(u64),
    /// No entry can hold the physical address.
    #[error("{0:#x} is not a physical address that a page-table entry can hold")]
    Address(u64),
}

#[derive(Clone, Copy)]
enum Entry {
    Absent,
    /// Index into [`PageTables::tables`].
    Table(usize),
    Page(PageTableEntry),
}

type Table = [Entry; TABLE_ENTRIES];

/// Page tables under construction. Table 0 is the top level.
pub struct PageTables {
    c_bit_mask: u64,
    tables: Vec<Table>,
}

impl PageTables {
    /// Tables that map nothing. `c_bit_mask` goes into every entry; 0 for none.
    #[must_use]
    pub fn new(c_bit_mask: u64) -> Self {
        Self { c_bit_mask, tables: vec![[Entry::Absent; TABLE_ENTRIES]] }
    }

    /// Maps a range.
    ///
    /// # Errors
    ///
    /// See [`Error`]. Part of the range may be mapped then.
    pub fn map(&mut self, mapping: &Mapping) -> Result<(), Error> {
        let Mapping { virtual_address, gpa, size, access, leaves } = *mapping;
        let aligned = [virtual_address, gpa, size].iter().all(|n| n.is_multiple_of(SIZE_4K));
        // The very last page of an address space may be mapped: what must be a
        // number is the last byte, not the one behind it.
        let fits = |start: u64| size == 0 || start.checked_add(size - 1).is_some();
        if !(aligned && fits(virtual_address) && fits(gpa)) {
            return Err(Error::Unaligned(virtual_address));
        }

        let mut done = 0;
        while done < size {
            let (from, to) = (virtual_address + done, gpa + done);
            let large = leaves == Leaves::LargeWhereAligned
                && from.is_multiple_of(SIZE_2M)
                && to.is_multiple_of(SIZE_2M)
                && size - done >= SIZE_2M;
            let (level, flags) = if large {
                (Level::PageDirectory, page_flags(access) | EntryFlags::HUGE)
            } else {
                (Level::PageTable, page_flags(access))
            };
            let page =
                PageTableEntry::page(to, flags, self.c_bit_mask).ok_or(Error::Address(to))?;
            self.place(from, level, page)?;
            done += level.entry_size();
        }
        Ok(())
    }

    /// Number of tables, which is the number of pages they take.
    #[must_use]
    pub fn page_count(&self) -> u64 {
        self.tables.len() as u64
    }

    /// The tables as they are to lie at physical address `base`, top level
    /// first.
    ///
    /// # Errors
    ///
    /// [`Error::Address`] if no table can lie there.
    pub fn to_bytes(&self, base: u64) -> Result<Vec<u8>, Error> {
        let table = |index: usize| {
            base.checked_add(index as u64 * SIZE_4K)
                .and_then(|address| PageTableEntry::table(address, self.c_bit_mask))
                .ok_or(Error::Address(base))
        };
        let mut bytes = Vec::with_capacity(self.tables.len() * SIZE_4K as usize);
        for entry in self.tables.iter().flatten() {
            let entry = match *entry {
                Entry::Absent => PageTableEntry::EMPTY,
                Entry::Table(index) => table(index)?,
                Entry::Page(page) => page,
            };
            bytes.extend_from_slice(&entry.bits().to_le_bytes());
        }
        Ok(bytes)
    }

    /// Puts `page` into the table of `level` that translates `address`, and
    /// makes the tables above it.
    fn place(&mut self, address: u64, level: Level, page: PageTableEntry) -> Result<(), Error> {
        let mut table = 0;
        for upper in Level::DOWNWARDS.into_iter().take_while(|upper| *upper != level) {
            let slot = upper.index(address);
            table = match self.tables[table][slot] {
                Entry::Table(next) => next,
                Entry::Page(_) => return Err(Error::Occupied(address)),
                Entry::Absent => {
                    let next = self.tables.len();
                    self.tables.push([Entry::Absent; TABLE_ENTRIES]);
                    self.tables[table][slot] = Entry::Table(next);
                    next
                }
            };
        }
        let entry = &mut self.tables[table][level.index(address)];
        match entry {
            Entry::Absent => *entry = Entry::Page(page),
            Entry::Table(_) | Entry::Page(_) => return Err(Error::Occupied(address)),
        }
        Ok(())
    }
}

fn page_flags(access: Access) -> EntryFlags {
    let mut flags = EntryFlags::PRESENT | EntryFlags::ACCESSED;
    flags.set(EntryFlags::WRITABLE | EntryFlags::DIRTY, access.contains(Access::WRITE));
    flags.set(EntryFlags::NO_EXECUTE, !access.contains(Access::EXECUTE));
    flags
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) mod walk;
