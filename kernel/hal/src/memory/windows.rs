//! Windows: pages that the kernel does not own, mapped for as long as a guard
//! lives.
//!
//! Every processor has four places for pages of 4 KiB in the last GiB, and one
//! for a page of 2 MiB, whose page tables are made once, by [`start`]. A
//! [`Window`] takes one of its processor's, leads it to a page, and ends that
//! when it is dropped, with interrupts masked all the while: so no other
//! processor ever uses the place, and only this one has to forget it.
//!
//! Two more places of each processor are for pages that it looks at again and
//! again ([`look_again`]): they go on leading to the page of last time until
//! another one is asked for.
//!
//! The page's content belongs to others. It is copied in and out by the
//! instructions of `recoverable.rs`; there is no reference to it.

use alloc::vec::Vec;
use core::ops::Deref;
use core::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use abi_boot::PAGE_SIZE;
use abi_x86::{Level, SIZE_2M};
use page_tables::{Access, Attributes, Encryption, Mode};

use super::adoption::is_adopted;
use super::dynamic_area::{LARGE_WINDOWS, WINDOWS};
use super::flush::flush_own;
use super::kernel_space::{edit_owned, set_own_page};
use super::region::region;
use crate::OutOfMemory;
use crate::heap::TryPush;
use crate::processor::current;
use crate::recoverable::{Fault, ForeignBytes, Guarded};
use crate::sync::{Masked, Once, mask};

/// Windows that a processor can have at once: two pages of one call, one of
/// its calling area, and one to spare.
const WINDOWS_PER_PROCESSOR: u64 = 4;

/// What a processor looks at again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The save area of the virtual processor that it runs.
    SaveArea = 0,
    /// The calling area of that virtual processor.
    CallingArea = 1,
}

const STANDING_PER_PROCESSOR: u64 = 2;

/// Small places of a processor: windows first, then standing ones.
const PLACES_PER_PROCESSOR: u64 = WINDOWS_PER_PROCESSOR + STANDING_PER_PROCESSOR;

/// The bit of the large window.
const LARGE_BIT: u8 = 1 << WINDOWS_PER_PROCESSOR;

/// The bits of windows that are closed soon.
const WINDOW_BITS: u8 = (1 << WINDOWS_PER_PROCESSOR) - 1;

/// By processor.
static PLACES: Once<Vec<Places>> = Once::new();

/// The places of one processor. Only it changes them, with interrupts masked.
#[derive(Debug)]
struct Places {
    /// A bit for each window that is open, the large one's last.
    open: AtomicU8,
    /// Where the standing places lead: the page's address and 1, or 0.
    standing: [AtomicU64; STANDING_PER_PROCESSOR as usize],
}

impl Places {
    const fn new() -> Self {
        Self { open: AtomicU8::new(0), standing: [const { AtomicU64::new(0) }; 2] }
    }
}

/// Makes room for windows of `processors` processors.
///
/// # Errors
///
/// [`OutOfMemory`].
///
/// # Panics
///
/// It was called before.
pub(crate) fn start(processors: u32) -> Result<(), OutOfMemory> {
    let range = WINDOWS..place(processors, 0);
    edit_owned(range.clone(), |cursor| cursor.prepare(range, Level::PageTable))?;
    let range = LARGE_WINDOWS..large_window(processors);
    edit_owned(range.clone(), |cursor| cursor.prepare(range, Level::PageDirectory))?;
    let mut places = Vec::new();
    places.try_reserve_exact(processors as usize).map_err(|_| OutOfMemory)?;
    for _ in 0..processors {
        places.try_push(Places::new())?;
    }
    assert!(PLACES.set(places).is_ok(), "there is one set of windows");
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
    /// The bit in [`Places::open`].
    bit: u8,
    masked: Masked,
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
    /// large, or is more than the boot block allows.
    pub fn open(page: u64, size: WindowSize, encryption: Encryption) -> Result<Self, WindowError> {
        check(page, size)?;
        let masked = mask();
        let (processor, places) = own_places(&masked);
        let bits = places.open.load(Ordering::Relaxed);
        let (address, bit) = match size {
            WindowSize::Small => {
                let slot = (bits & WINDOW_BITS).trailing_ones();
                assert!(u64::from(slot) < WINDOWS_PER_PROCESSOR, "a processor has four windows");
                (place(processor, slot.into()), 1 << slot)
            }
            WindowSize::Large => {
                assert!(bits & LARGE_BIT == 0, "a processor has one large window");
                (large_window(processor), LARGE_BIT)
            }
        };
        let view = View::open(page, address, size, encryption, bit, &masked)?;
        Ok(Self { view, bit, masked })
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
///
/// # Panics
///
/// The processor is more than the boot block allows.
#[inline(always)]
pub fn look_again<R>(
    standing: Standing,
    page: u64,
    look: impl FnOnce(&View) -> R,
) -> Result<R, WindowError> {
    let masked = mask();
    let (processor, places) = own_places(&masked);
    Ok(look(&standing_view(processor, places, standing, page)?))
}

/// As [`look_again`], of both pages at a time.
///
/// # Errors
///
/// See [`WindowError`].
///
/// # Panics
///
/// The processor is more than the boot block allows.
#[inline(always)]
pub fn look_again_at_both<R>(
    save_area: u64,
    calling_area: u64,
    look: impl FnOnce(&View, &View) -> R,
) -> Result<R, WindowError> {
    let masked = mask();
    let (processor, places) = own_places(&masked);
    let save_area = standing_view(processor, places, Standing::SaveArea, save_area)?;
    let calling_area = standing_view(processor, places, Standing::CallingArea, calling_area)?;
    Ok(look(&save_area, &calling_area))
}

/// The view of a standing place, which leads to `page` from now on.
#[inline(always)]
fn standing_view(
    processor: u32,
    places: &Places,
    standing: Standing,
    page: u64,
) -> Result<View, WindowError> {
    let address = place(processor, WINDOWS_PER_PROCESSOR + standing as u64);
    let leads_to = &places.standing[standing as usize];
    if leads_to.load(Ordering::Relaxed) != page.wrapping_add(1) {
        lead(address, leads_to, page)?;
    }
    Ok(View { address, size: WindowSize::Small })
}

/// Leads a standing place to another page.
#[cold]
fn lead(address: u64, leads_to: &AtomicU64, page: u64) -> Result<(), WindowError> {
    check(page, WindowSize::Small)?;
    let attributes = Attributes {
        access: Access::ReadWrite,
        mode: Mode::Kernel,
        encryption: Encryption::Private,
    };
    set_own_page(address, Level::PageTable, Some((page, attributes)))
        .map_err(|_| WindowError::Address(page))?;
    flush_own(address..address + PAGE_SIZE);
    leads_to.store(page.wrapping_add(1), Ordering::Relaxed);
    Ok(())
}

impl Deref for Window {
    type Target = View;

    fn deref(&self) -> &View {
        &self.view
    }
}

impl View {
    /// Leads the place at `address`, which is the processor's own and free, to a
    /// page, and notes it.
    fn open(
        page: u64,
        address: u64,
        size: WindowSize,
        encryption: Encryption,
        bit: u8,
        masked: &Masked,
    ) -> Result<Self, WindowError> {
        let attributes = Attributes { access: Access::ReadWrite, mode: Mode::Kernel, encryption };
        set_own_page(address, size.level(), Some((page, attributes)))
            .map_err(|_| WindowError::Address(page))?;
        change_open(masked, |bits| bits | bit);
        Ok(Self { address, size })
    }

    /// Takes the page away from the place.
    fn close(&self, bit: u8, masked: &Masked) {
        let closed = set_own_page(self.address, self.size.level(), None);
        assert!(closed.is_ok(), "the place led to a page, so it has a table");
        flush_own(self.address..self.address + PAGE_SIZE);
        change_open(masked, |bits| bits & !bit);
    }

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
        assert!(offset.is_multiple_of(size_of::<u64>()), "words are aligned");
        self.bytes().store(offset, value)
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

impl Drop for Window {
    fn drop(&mut self) {
        self.view.close(self.bit, &self.masked);
    }
}

/// Whether there can be such a page that is not the module's.
fn check(page: u64, size: WindowSize) -> Result<(), WindowError> {
    let bytes = size.level().entry_size();
    // The second test keeps the sum below from overflowing.
    if !page.is_multiple_of(bytes) || page > 1 << 52 {
        return Err(WindowError::Address(page));
    }
    let own = region();
    if page < own.end && own.start < page + bytes || is_adopted(page, bytes) {
        return Err(WindowError::Own(page));
    }
    Ok(())
}

/// This processor's number and places. Interrupts are masked, so it stays this
/// one.
fn own_places(_: &Masked) -> (u32, &'static Places) {
    let processor = current().index().number();
    let places = PLACES.get().and_then(|places| places.get(processor as usize));
    let Some(places) = places else { panic!("windows have started, for all processors") };
    (processor, places)
}

fn change_open(masked: &Masked, change: impl FnOnce(u8) -> u8) {
    let (_, places) = own_places(masked);
    places.open.store(change(places.open.load(Ordering::Relaxed)), Ordering::Relaxed);
}

/// Address of a processor's place for small pages.
const fn place(processor: u32, slot: u64) -> u64 {
    WINDOWS + (processor as u64 * PLACES_PER_PROCESSOR + slot) * PAGE_SIZE
}

/// Address of a processor's large window.
const fn large_window(processor: u32) -> u64 {
    LARGE_WINDOWS + processor as u64 * SIZE_2M
}
