//! The guest's nested page tables, kept in step with the reverse map.
//!
//! Each privilege level has nested tables of its own, which map what the
//! reverse map allows it: a private page at its address with the C-bit, a shared
//! one at its address without. They are filled when the guest faults, and
//! [`Views::forget`] empties them where the reverse map changes.
//!
//! What the processor itself reads and writes (page tables, instructions) is
//! private even at an address without the C-bit: such a page is mapped there as
//! well, once it was needed.
//!
//! A guest without paging has no C-bit to set: all it does is private
//! [APM 24593 §15.34.5]. It gets tables that map private pages at their plain
//! addresses.

use abi_snp::{PagePermissions, PageSize, Vmpl};
use abi_x86::{SIZE_2M, SIZE_4K};
use machine::Gpa;
use machine::reverse_map::{Encryption, Entry, PageState, ReverseMap};
use nested_paging::{Access, CBit, Error, View};

use crate::guest_ram::GuestRam;
use crate::memory::Memory;
use crate::nested_memory::NestedMemory;

/// Pages that are mapped at once when one of them is missing.
const NEIGHBOURS: u64 = 32;

/// Whether the guest translates its addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paging {
    /// `CR0.PG` is clear: all accesses are private.
    Off,
    /// `CR0.PG` is set: the C-bit says which are.
    On,
}

/// A level's tables.
struct Level {
    paged: NestedMemory,
    unpaged: Option<NestedMemory>,
}

/// The nested page tables of a guest.
pub(crate) struct Views {
    c_bit: CBit,
    levels: [Option<Level>; 4],
}

/// What the tables are made from.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    pub(crate) ram: &'a GuestRam,
    pub(crate) reverse_map: &'a ReverseMap,
}

impl Views {
    /// No tables.
    pub(crate) fn new(c_bit: CBit) -> Self {
        Self { c_bit, levels: [const { None }; 4] }
    }

    /// The bit that makes a guest physical address private.
    pub(crate) fn c_bit(&self) -> CBit {
        self.c_bit
    }

    /// The tables for a level.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`].
    pub(crate) fn tables(
        &mut self,
        memory: &mut Memory,
        vmpl: Vmpl,
        paging: Paging,
    ) -> Result<&mut NestedMemory, Error> {
        let slot = &mut self.levels[usize::from(vmpl.number())];
        if slot.is_none() {
            *slot = Some(Level { paged: NestedMemory::new(memory)?, unpaged: None });
        }
        let level = slot.as_mut().ok_or(Error::OutOfMemory)?;
        match (paging, &mut level.unpaged) {
            (Paging::On, _) => Ok(&mut level.paged),
            (Paging::Off, Some(unpaged)) => Ok(unpaged),
            (Paging::Off, empty) => Ok(empty.insert(NestedMemory::new(memory)?)),
        }
    }

    /// Maps nothing in the page at `gpa`, for no level.
    ///
    /// # Errors
    ///
    /// `gpa` is not aligned, or no address.
    pub(crate) fn forget(
        &mut self,
        memory: &mut Memory,
        gpa: Gpa,
        size: PageSize,
    ) -> Result<(), Error> {
        let private = self.c_bit.mask() | gpa.0;
        for level in self.levels.iter_mut().flatten() {
            level.paged.clear(memory, gpa.0, size)?;
            level.paged.clear(memory, private, size)?;
            if let Some(unpaged) = &mut level.unpaged {
                unpaged.clear(memory, gpa.0, size)?;
            }
        }
        Ok(())
    }

    /// Maps the page at `gpa` for a level as the reverse map has it, and some
    /// of its neighbours. Says what the tables allow now, if it is mapped.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`].
    pub(crate) fn fill(
        &mut self,
        memory: &mut Memory,
        source: Source<'_>,
        place: Place,
    ) -> Result<Option<Access>, Error> {
        let c_bit = self.c_bit;
        let tables = self.tables(memory, place.vmpl, place.paging)?;
        let address = |gpa: u64| c_bit.address(gpa, place.view);
        if place.view == View::Shared
            && place.encryption == Encryption::Private
            && place.paging == Paging::On
        {
            return fill_alias(tables, memory, source, place);
        }
        let large = place.gpa.page(PageSize::Size2M);
        if let Some(access) = large_access(source, place, large)
            && let Some(pages) = source.ram.large_page(large, place.encryption)
            && let Some(at) = address(large.0)
        {
            tables.clear(memory, at, PageSize::Size2M)?;
            tables.map_large(memory, at, pages, access)?;
            return Ok(Some(access));
        }
        let wanted = place.gpa.page(PageSize::Size4K);
        let first = wanted.0 - wanted.0 % (NEIGHBOURS * SIZE_4K);
        let mut mapped = None;
        for gpa in (0..NEIGHBOURS).map(|index| Gpa(first + index * SIZE_4K)) {
            let Some(access) = small_access(source, place, gpa) else { continue };
            let Some(page) = source.ram.page(gpa, place.encryption) else { continue };
            let Some(at) = address(gpa.0) else { continue };
            tables.clear(memory, at, PageSize::Size4K)?;
            tables.map(memory, at, page, access)?;
            if gpa == wanted {
                mapped = Some(access);
            }
        }
        Ok(mapped)
    }
}

/// What a fault was about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) vmpl: Vmpl,
    pub(crate) paging: Paging,
    pub(crate) gpa: Gpa,
    /// The C-bit of the address that was put out.
    pub(crate) view: View,
    /// What the access is, whatever its C-bit says.
    pub(crate) encryption: Encryption,
}

/// Maps a private page at its address without the C-bit, for the processor's
/// own accesses: fetches and table walks are private, whatever the C-bit says
/// [APM 24593 §15.34.5]. The guest's data accesses by that address see the
/// private page then, too, which a processor would not let them.
fn fill_alias(
    tables: &mut NestedMemory,
    memory: &mut Memory,
    source: Source<'_>,
    place: Place,
) -> Result<Option<Access>, Error> {
    let gpa = place.gpa.page(PageSize::Size4K);
    let Some(access) = small_access(source, place, gpa) else { return Ok(None) };
    let Some(page) = source.ram.page(gpa, Encryption::Private) else { return Ok(None) };
    tables.clear(memory, gpa.0, PageSize::Size4K)?;
    tables.map(memory, gpa.0, page, access)?;
    Ok(Some(access))
}

/// What the 2 MiB at `gpa` allow, if they are all alike.
fn large_access(source: Source<'_>, place: Place, gpa: Gpa) -> Option<Access> {
    let map = source.reverse_map;
    match place.encryption {
        Encryption::Private => {
            let entry = map.entry(gpa)?;
            (entry.page_size() == PageSize::Size2M).then(|| private_access(entry, place.vmpl))?
        }
        Encryption::Shared => {
            let pages = (0..SIZE_2M / SIZE_4K).map(|index| Gpa(gpa.0 + index * SIZE_4K));
            pages
                .map(|page| map.entry(page))
                .all(|entry| entry.is_some_and(is_shared))
                .then_some(Access::WRITE)
        }
    }
}

/// What the page of 4 KiB at `gpa` allows.
fn small_access(source: Source<'_>, place: Place, gpa: Gpa) -> Option<Access> {
    let entry = source.reverse_map.entry(gpa)?;
    match place.encryption {
        Encryption::Private if entry.page_size() == PageSize::Size4K => {
            private_access(entry, place.vmpl)
        }
        // Part of a large page that this machine's memory cannot map as one.
        Encryption::Private => private_access(entry, place.vmpl),
        Encryption::Shared if is_shared(entry) => Some(Access::WRITE),
        // A shared read of a private page sees what encryption makes of it.
        Encryption::Shared => Some(Access::empty()),
    }
}

/// What a level may do with a page of the guest. The nested page tables cannot
/// tell user mode from supervisor mode, so execution needs both permissions.
fn private_access(entry: Entry, vmpl: Vmpl) -> Option<Access> {
    let usable = entry.state() == PageState::GuestValid && !entry.is_remapped();
    let granted = entry.permissions(vmpl);
    if !usable || !granted.contains(PagePermissions::READ) {
        return None;
    }
    let execute = PagePermissions::EXECUTE_USER | PagePermissions::EXECUTE_SUPERVISOR;
    let mut access = Access::empty();
    access.set(Access::WRITE, granted.contains(PagePermissions::WRITE));
    access.set(Access::EXECUTE, granted.contains(execute));
    Some(access)
}

fn is_shared(entry: Entry) -> bool {
    entry.state() == PageState::Hypervisor && !entry.is_remapped()
}
