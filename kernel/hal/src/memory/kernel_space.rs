//! The kernel's page tables, edited through cursors.
//!
//! [`edit_linear`] and [`edit_owned`] lend a [`Cursor`] on a range to a closure.
//! The caller owns the range: it has the only right to what is mapped there.
//! When the closure has returned, the lock on the tables is released and all
//! processors forget what has changed; only then the edit counts as done.

use core::ops::Range;
use core::sync::atomic::AtomicU64;

use abi_boot::{Access, BootBlock, Part};
use abi_x86::{Level, PageTableEntry, TABLE_ENTRIES};
#[cfg(target_os = "none")]
use page_tables::Encryption;
use page_tables::{Attributes, Error, PageTables, Tables};

use super::dynamic_area::DYNAMIC_START;
use super::flush::flush;
use super::frame_kind::FrameKind;
use super::frames::Frames;
use super::region::virtual_address;
use super::tables::LinearTables;
use crate::OutOfMemory;
use crate::sync::{Once, Rank, SpinLock};

/// The tables; `None` until memory starts.
static SPACE: SpinLock<Option<KernelSpace>> = SpinLock::new(Rank::PageTable, None);

/// The same tables, for pages that come and go without a change of tables.
static PREPARED: Once<PageTables> = Once::new();

struct KernelSpace {
    tables: PageTables,
    block: BootBlock<'static>,
}

/// Takes over the tables that the processor uses, which the builder made.
pub(super) fn set(block: BootBlock<'static>) {
    let tables = || PageTables::at(block.page_table_root, block.c_bit_mask);
    assert!(PREPARED.set(tables()).is_ok(), "memory starts once");
    let tables = tables();
    *SPACE.lock() = Some(KernelSpace { tables, block });
}

impl KernelSpace {
    /// Whether something in `range` was placed there not to be written: code,
    /// constants, the boot block. It stays as it is.
    fn is_immutable(&self, range: &Range<u64>) -> bool {
        let fixed = |part: &&Part| !part.access.contains(Access::WRITE);
        self.block.parts().iter().filter(fixed).any(|part| {
            let start = self.block.virtual_address(part.gpa);
            start.is_some_and(|start| start < range.end && range.start < start + part.size)
        })
    }
}

/// The right to change what a range of addresses leads to, while it lives.
pub(super) struct Cursor<'a> {
    tables: &'a mut PageTables,
    range: Range<u64>,
    changed: bool,
}

impl Cursor<'_> {
    /// Maps `pages`, which are not mapped, to memory from physical `address`
    /// on.
    pub(super) fn map(
        &mut self,
        pages: Range<u64>,
        address: u64,
        attributes: Attributes,
    ) -> Result<(), OutOfMemory> {
        self.check(&pages);
        expect_memory(self.tables.map(&mut LinearTables, pages, address, attributes))
    }

    /// Gives `pages` entries of their own where a large page reaches beyond
    /// them, so that later edits of them need no memory.
    pub(super) fn split(&mut self, pages: Range<u64>) -> Result<(), OutOfMemory> {
        self.check(&pages);
        self.changed = true;
        expect_memory(self.tables.split(&mut LinearTables, pages))
    }

    /// Makes tables down to `lowest` for `pages`, so that
    /// [`own_entry`] finds the entries.
    pub(super) fn prepare(&mut self, pages: Range<u64>, lowest: Level) -> Result<(), OutOfMemory> {
        self.check(&pages);
        expect_memory(self.tables.prepare(&mut LinearTables, pages, lowest))
    }

    /// Makes `pages` lead nowhere.
    pub(super) fn unmap(&mut self, pages: Range<u64>) -> Result<(), OutOfMemory> {
        self.check(&pages);
        self.changed = true;
        expect_memory(self.tables.unmap(&mut LinearTables, pages))
    }

    fn check(&self, pages: &Range<u64>) {
        assert!(
            self.range.start <= pages.start && pages.end <= self.range.end,
            "a cursor on {:#x?} does not reach {pages:#x?}",
            self.range
        );
    }
}

/// Owners of a range know what is mapped there, so that the only thing that
/// can go wrong is that there is no memory for another table.
fn expect_memory(result: Result<(), Error>) -> Result<(), OutOfMemory> {
    match result {
        Ok(()) => Ok(()),
        Err(Error::OutOfTables) => Err(OutOfMemory),
        Err(error) => panic!("who owns a range knows what it leads to, but {error}"),
    }
}

/// Edits the piece of the linear map that leads to `frames`.
pub(super) fn edit_linear<K: FrameKind, R>(
    frames: &mut Frames<K>,
    edit: impl FnOnce(&mut Cursor<'_>, Range<u64>) -> R,
) -> R {
    let start = virtual_address(frames.address());
    let range = start..start + frames.size();
    edit_range(range.clone(), |cursor| edit(cursor, range))
}

/// Edits `range` of the last GiB. The caller has it to itself: the files named
/// in `dynamic_area.rs` do.
pub(super) fn edit_owned<R>(range: Range<u64>, edit: impl FnOnce(&mut Cursor<'_>) -> R) -> R {
    assert!(range.start >= DYNAMIC_START, "{range:#x?} lies in the linear map, which frames own");
    edit_range(range, edit)
}

/// The entry that leads to the page of `level` at `address` of the last GiB, which
/// the caller has to itself and has prepared. The caller may store there what
/// [`page_entry`] gives, or nothing (INV-TABLES-1), without a lock: the kernel's
/// tables are never taken down, and the entry is the caller's. It is also the
/// caller's to make processors forget what was there.
///
/// # Errors
///
/// The place is not prepared.
pub(super) fn own_entry(address: u64, level: Level) -> Result<&'static AtomicU64, Error> {
    assert!(address >= DYNAMIC_START, "{address:#x} lies in the linear map, which frames own");
    let (table, index) = prepared().place(&LinearTables, address, level)?;
    Ok(LinearTables::entry(table, index))
}

/// An entry of a table of `level` that leads to the page at a physical address.
///
/// # Errors
///
/// There cannot be a page at this address.
#[inline(always)]
pub(super) fn page_entry(
    level: Level,
    page: u64,
    attributes: Attributes,
) -> Result<PageTableEntry, Error> {
    prepared().page(level, page, attributes)
}

/// How the page at `address` of the kernel's half is mapped, if it is.
#[cfg(target_os = "none")]
pub(super) fn encryption_at(address: u64) -> Option<Encryption> {
    prepared().lookup(&LinearTables, address).map(|mapped| mapped.attributes.encryption)
}

#[inline]
fn prepared() -> &'static PageTables {
    let Some(tables) = PREPARED.get() else {
        panic!("addresses are prepared after memory starts");
    };
    tables
}

/// The kernel's top-level entries, which every address space has: its half of
/// the address space. They lead to tables that are never taken down, so a change
/// below them is one in all address spaces.
///
/// # Panics
///
/// Memory has not started.
pub(super) fn upper_half() -> impl Iterator<Item = (usize, PageTableEntry)> {
    let Some(tables) = PREPARED.get() else {
        panic!("there is an address space beside the kernel's before memory starts");
    };
    let root = tables.root();
    (TABLE_ENTRIES / 2..TABLE_ENTRIES).map(move |index| (index, LinearTables.read(root, index)))
}

/// The bit that marks private pages, as a mask.
pub(super) fn c_bit_mask() -> u64 {
    PREPARED.get().map_or(0, PageTables::c_bit_mask)
}

/// Edits `range`, which the caller owns.
///
/// # Panics
///
/// Something in `range` is immutable, or memory has not started.
fn edit_range<R>(range: Range<u64>, edit: impl FnOnce(&mut Cursor<'_>) -> R) -> R {
    let (result, changed) = {
        let mut space = SPACE.lock();
        let Some(space) = space.as_mut() else {
            panic!("mappings belong to owners of frames, of which there are none before the start");
        };
        assert!(!space.is_immutable(&range), "{range:#x?} was mapped for good by the builder");
        let mut cursor = Cursor { tables: &mut space.tables, range: range.clone(), changed: false };
        let result = edit(&mut cursor);
        (result, cursor.changed)
    };
    if changed {
        flush(range);
    }
    result
}
