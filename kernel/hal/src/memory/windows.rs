//! Windows: pages that the kernel does not own, mapped for as long as a guard
//! lives.
//!
//! Every processor has four places for pages of 4 KiB in the last GiB, and one
//! for a page of 2 MiB, whose page tables are made once, by [`start`]. A
//! [`Window`] takes one of its processor's, leads it to a page, and ends that
//! when it is dropped, with interrupts masked all the while: so no other
//! processor ever uses the place, and only this one has to forget it
//! (INV-WINDOW-1). Where the entries of its places are, a processor has found
//! out before it starts: to open a window is one store, to close it another one
//! and INVLPG.
//!
//! Two more places of each processor are for pages that it looks at again and
//! again ([`look_again`]): they go on leading to the page of last time until
//! another one is asked for.
//!
//! The page's content belongs to others. It is copied in and out by the
//! instructions of `recoverable.rs`; there is no reference to it.

use core::marker::PhantomData;
use core::ops::Deref;
use core::sync::atomic::{AtomicU64, Ordering};

use abi_boot::PAGE_SIZE;
use abi_x86::{Level, PageTableEntry, SIZE_2M};
use page_tables::{Access, Attributes, Encryption, Mode};

use super::adoption::is_adopted;
use super::dynamic_area::{LARGE_WINDOWS, WINDOWS};
use super::flush::flush_own_page;
use super::kernel_space::{edit_owned, own_entry, page_entry};
use super::region::region;
use crate::OutOfMemory;
use crate::processor::{Processor, current};
use crate::recoverable::{Fault, ForeignBytes, Guarded, Tally};
use crate::start_error::StartError;
use crate::sync::{Masked, mask};
use crate::window_places::{
    PLACES_PER_PROCESSOR, WINDOWS_PER_PROCESSOR, WindowEntries, WindowPlaces,
};

/// What a processor looks at again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The save area of the virtual processor that it runs.
    SaveArea = 0,
    /// The calling area of that virtual processor.
    CallingArea = 1,
}

/// The bit of the large window.
const LARGE_BIT: u8 = 1 << WINDOWS_PER_PROCESSOR;

/// The bits of windows that are closed soon.
const WINDOW_BITS: u8 = (1 << WINDOWS_PER_PROCESSOR) - 1;

/// Makes room for windows of `processors` processors, and gives the running one
/// its own.
///
/// # Errors
///
/// [`OutOfMemory`].
///
/// # Panics
///
/// It was called before.
pub(super) fn start(processors: u32) -> Result<(), OutOfMemory> {
    let range = WINDOWS..place(processors, 0);
    edit_owned(range.clone(), |cursor| cursor.prepare(range, Level::PageTable))?;
    let range = LARGE_WINDOWS..large_window(processors);
    edit_owned(range.clone(), |cursor| cursor.prepare(range, Level::PageDirectory))?;
    assert!(give_windows(current()).is_ok(), "room was made for the first processor");
    Ok(())
}

/// Gives a processor its windows, before it starts.
///
/// # Errors
///
/// [`StartError::TooMany`]: no room was made for so many processors.
///
/// # Panics
///
/// It has windows.
pub(crate) fn give_windows(to: &Processor) -> Result<(), StartError> {
    let number = to.index().number();
    let entry = |address, level| {
        own_entry(address, level).map_err(|_| StartError::TooMany(to.index().as_usize() + 1))
    };
    // Any entry will do until the one for its place is there.
    let large = entry(large_window(number), Level::PageDirectory)?;
    let mut small = [large; PLACES_PER_PROCESSOR];
    for (slot, small) in small.iter_mut().enumerate() {
        *small = entry(place(number, slot), Level::PageTable)?;
    }
    let first = to.windows.entries.set(WindowEntries { small, large }).is_ok();
    assert!(first, "a processor gets its windows once");
    Ok(())
}

/// Why a page cannot be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WindowError {
    /// The page is the module's own.
    #[error("the page at {0:#x} is the module's own")]
    Own(u64),
    /// There cannot be a page at this physical address.
    #[error("{0:#x} is not the physical address of a page")]
    Address(u64),
}

/// The sizes of windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowSize {
    /// 4 KiB.
    Small,
    /// 2 MiB.
    Large,
}

impl WindowSize {
    /// The level of the page tables whose entries lead to such pages.
    const fn level(self) -> Level {
        match self {
            Self::Small => Level::PageTable,
            Self::Large => Level::PageDirectory,
        }
    }
}

/// A page of memory that the kernel does not own, as it can be reached while a
/// window is open.
///
/// Every access can fail, because the page can be taken away meanwhile. Offsets
/// are in bytes; an access beyond the page's end is a panic, so callers check
/// what comes from outside.
#[derive(Debug)]
pub struct View {
    address: u64,
    size: WindowSize,
}

/// A window that is closed soon. It lives on one processor, with interrupts
/// masked.
#[derive(Debug)]
pub struct Window {
    view: View,
    /// What leads to the page.
    entry: &'static AtomicU64,
    places: &'static WindowPlaces,
    /// The bit in [`WindowPlaces::open`].
    bit: u8,
    _masked: Masked,
}

impl Window {
    /// Opens a window to the page of this size at guest physical address `page`,
    /// for reading and writing. It is memory, not registers of a device.
    ///
    /// The view has to be the one that the page is in: of a page that is the
    /// host's, a private view ends the machine when it is used, and is not an
    /// error.
    ///
    /// # Errors
    ///
    /// See [`WindowError`].
    ///
    /// # Panics
    ///
    /// The processor has four windows open, or a large one if this is to be
    /// large.
    #[inline(always)]
    pub fn open(page: u64, size: WindowSize, encryption: Encryption) -> Result<Self, WindowError> {
        let content = content(page, size, encryption)?;
        let masked = mask();
        let (processor, places, entries) = own_places(&masked);
        let bits = places.open.load(Ordering::Relaxed);
        let (address, entry, bit) = match size {
            WindowSize::Small => {
                let slot = (bits & WINDOW_BITS).trailing_ones() as usize;
                assert!(slot < WINDOWS_PER_PROCESSOR, "a processor has four windows");
                (place(processor, slot), entries.small[slot], 1 << slot)
            }
            WindowSize::Large => {
                assert!(bits & LARGE_BIT == 0, "a processor has one large window");
                (large_window(processor), entries.large, LARGE_BIT)
            }
        };
        // The place led nowhere, which processors do not remember.
        entry.store(content.bits(), Ordering::Release);
        places.open.store(bits | bit, Ordering::Relaxed);
        Ok(Self { view: View { address, size }, entry, places, bit, _masked: masked })
    }
}

impl Drop for Window {
    #[inline]
    fn drop(&mut self) {
        self.entry.store(PageTableEntry::EMPTY.bits(), Ordering::Release);
        // No other processor has used the place: interrupts were masked since it
        // led to the page.
        flush_own_page(self.view.address);
        let open = &self.places.open;
        open.store(open.load(Ordering::Relaxed) & !self.bit, Ordering::Relaxed);
    }
}

/// Shows a private page of 4 KiB to `look`, with interrupts masked, and is fast
/// if it is the page that this processor has looked at last in this way.
///
/// Between calls the place goes on leading there, whatever becomes of the page;
/// nobody uses it.
///
/// # Errors
///
/// See [`WindowError`].
#[inline(always)]
pub fn look_again<R>(
    standing: Standing,
    page: u64,
    look: impl FnOnce(&View) -> R,
) -> Result<R, WindowError> {
    let masked = mask();
    Ok(look(&standing_view(current(), standing, page, &masked)?))
}

/// As [`look_again`], of both pages at a time.
///
/// # Errors
///
/// See [`WindowError`].
#[inline(always)]
pub fn look_again_at_both<R>(
    save_area: u64,
    calling_area: u64,
    look: impl FnOnce(&View, &View) -> R,
) -> Result<R, WindowError> {
    let masked = mask();
    let processor = current();
    let save_area = standing_view(processor, Standing::SaveArea, save_area, &masked)?;
    let calling_area = standing_view(processor, Standing::CallingArea, calling_area, &masked)?;
    Ok(look(&save_area, &calling_area))
}

/// The view of a standing place of the running processor, which leads to `page`
/// from now on.
#[inline(always)]
fn standing_view(
    processor: &Processor,
    standing: Standing,
    page: u64,
    masked: &Masked,
) -> Result<View, WindowError> {
    let address = standing_place(processor.index().number(), standing);
    let leads_to = &processor.windows.standing[standing as usize];
    if leads_to.load(Ordering::Relaxed) != page.wrapping_add(1) {
        lead(standing, page, masked)?;
    }
    Ok(View { address, size: WindowSize::Small })
}

/// Leads a standing place to another page.
#[cold]
fn lead(standing: Standing, page: u64, masked: &Masked) -> Result<(), WindowError> {
    let content = content(page, WindowSize::Small, Encryption::Private)?;
    let (processor, places, entries) = own_places(masked);
    let entry = entries.small[WINDOWS_PER_PROCESSOR + standing as usize];
    entry.store(content.bits(), Ordering::Release);
    flush_own_page(standing_place(processor, standing));
    places.standing[standing as usize].store(page.wrapping_add(1), Ordering::Relaxed);
    Ok(())
}

impl Deref for Window {
    type Target = View;

    fn deref(&self) -> &View {
        &self.view
    }
}

impl View {
    /// Where the kernel sees the page, until the window is closed.
    pub(crate) const fn address(&self) -> u64 {
        self.address
    }

    /// Makes the whole page zero.
    ///
    /// # Errors
    ///
    /// [`Fault`]; a part may have been written.
    pub fn clear(&self) -> Result<(), Fault> {
        self.bytes().clear()
    }

    /// Copies the bytes from `offset` on to `to`.
    ///
    /// # Errors
    ///
    /// [`Fault`]; what `to` holds is then unspecified.
    ///
    /// # Panics
    ///
    /// The page ends before.
    pub fn read(&self, offset: usize, to: &mut [u8]) -> Result<(), Fault> {
        self.bytes().read(offset, to)
    }

    /// Copies `from` to the bytes from `offset` on.
    ///
    /// # Errors
    ///
    /// [`Fault`]; a part may have been written.
    ///
    /// # Panics
    ///
    /// The page ends before.
    pub fn write(&self, offset: usize, from: &[u8]) -> Result<(), Fault> {
        self.bytes().write(offset, from)
    }

    /// Reads the word at `offset`, a multiple of eight, at once.
    ///
    /// # Errors
    ///
    /// [`Fault`].
    ///
    /// # Panics
    ///
    /// The page ends before, or the offset is no multiple of eight.
    #[inline(always)]
    pub fn load(&self, offset: usize) -> Result<u64, Fault> {
        assert!(offset.is_multiple_of(size_of::<u64>()), "words are aligned");
        self.bytes().load(offset)
    }

    /// Writes the word at `offset`, a multiple of eight, at once.
    ///
    /// # Errors
    ///
    /// [`Fault`].
    ///
    /// # Panics
    ///
    /// As [`load`](Self::load).
    #[inline(always)]
    pub fn store(&self, offset: usize, value: u64) -> Result<(), Fault> {
        let mut words = self.words();
        words.store(offset, value);
        words.all_done()
    }

    /// Accesses to words one after the other, of which it is asked at the end
    /// whether all of them were done.
    #[inline(always)]
    pub fn words(&self) -> Words<'_> {
        Words { bytes: self.bytes(), tally: Tally::default(), view: PhantomData }
    }

    /// Puts `value` in the place of the byte at `offset`, at once, and returns
    /// what was there.
    ///
    /// # Errors
    ///
    /// [`Fault`].
    ///
    /// # Panics
    ///
    /// The page ends before.
    #[inline(always)]
    pub fn exchange(&self, offset: usize, value: u8) -> Result<u8, Fault> {
        self.bytes().exchange(offset, value)
    }

    /// The page.
    #[inline(always)]
    fn bytes(&self) -> ForeignBytes {
        // SAFETY: INV-FOREIGN-1: the window leads to a page that is not the
        // module's, for as long as it lives.
        unsafe {
            ForeignBytes::new(self.address, self.size.level().entry_size() as usize, Guarded::No)
        }
    }
}

/// Words of a page, each read or written at once.
///
/// One that faults does not keep the next one from being accessed.
#[derive(Debug)]
#[must_use = "whether all accesses were done is known at the end"]
pub struct Words<'v> {
    bytes: ForeignBytes,
    tally: Tally,
    view: PhantomData<&'v View>,
}

impl Words<'_> {
    /// The word at `offset`, a multiple of eight; unspecified if the access is
    /// not done.
    ///
    /// # Panics
    ///
    /// The page ends before, or the offset is no multiple of eight.
    #[inline(always)]
    pub fn load(&mut self, offset: usize) -> u64 {
        assert!(offset.is_multiple_of(size_of::<u64>()), "words are aligned");
        self.bytes.load_tallied(offset, &mut self.tally)
    }

    /// Writes the word at `offset`, a multiple of eight, unless the access is not
    /// done.
    ///
    /// # Panics
    ///
    /// As [`load`](Self::load).
    #[inline(always)]
    pub fn store(&mut self, offset: usize, value: u64) {
        assert!(offset.is_multiple_of(size_of::<u64>()), "words are aligned");
        self.bytes.store_tallied(offset, value, &mut self.tally);
    }

    /// Whether all accesses were done.
    ///
    /// # Errors
    ///
    /// [`Fault`]: one was not, or more.
    #[inline(always)]
    pub fn all_done(self) -> Result<(), Fault> {
        self.tally.all_done()
    }
}

/// The entry that leads to such a page, if there can be one that is not the
/// module's.
#[inline(always)]
fn content(
    page: u64,
    size: WindowSize,
    encryption: Encryption,
) -> Result<PageTableEntry, WindowError> {
    let attributes = Attributes { access: Access::ReadWrite, mode: Mode::Kernel, encryption };
    // It refuses what is no page, so that the sum below does not overflow.
    let entry =
        page_entry(size.level(), page, attributes).map_err(|_| WindowError::Address(page))?;
    let bytes = size.level().entry_size();
    let own = region();
    if page < own.end && own.start < page + bytes || is_adopted(page, bytes) {
        return Err(WindowError::Own(page));
    }
    Ok(entry)
}

/// This processor's number and places. Interrupts are masked, so it stays this
/// one.
#[inline(always)]
fn own_places(_: &Masked) -> (u32, &'static WindowPlaces, &'static WindowEntries) {
    let processor = current();
    let Some(entries) = processor.windows.entries.get() else {
        panic!("a processor has its windows before it starts")
    };
    (processor.index().number(), &processor.windows, entries)
}

/// Address of a processor's place for small pages.
const fn place(processor: u32, slot: usize) -> u64 {
    WINDOWS + (processor as u64 * PLACES_PER_PROCESSOR as u64 + slot as u64) * PAGE_SIZE
}

/// Address of a standing place of a processor.
#[inline(always)]
const fn standing_place(processor: u32, standing: Standing) -> u64 {
    place(processor, WINDOWS_PER_PROCESSOR + standing as usize)
}

/// Address of a processor's large window.
const fn large_window(processor: u32) -> u64 {
    LARGE_WINDOWS + processor as u64 * SIZE_2M
}
