//! Windows: pages that the kernel does not own, mapped for as long as a guard
//! lives.
//!
//! Every processor has four places in the last GiB whose page tables are made
//! once, by [`start`]. A [`Window`] takes one of its processor's, leads it to a
//! page, and ends that when it is dropped, with interrupts masked all the
//! while: so no other processor ever uses the place, and only this one has to
//! forget it.
//!
//! The page's content belongs to others. It is copied in and out by the
//! instructions of `recoverable.rs`; there is no reference to it.

use alloc::vec::Vec;
use core::sync::atomic::{AtomicU8, Ordering};

use abi_boot::PAGE_SIZE;
use abi_x86::SIZE_4K;
use page_tables::{Access, Attributes, Encryption, Mode};

use super::dynamic_area::WINDOWS;
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

/// By processor, a bit for each of its windows that is open.
static OPEN: Once<Vec<AtomicU8>> = Once::new();

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
    let range = WINDOWS..first_window(processors);
    edit_owned(range.clone(), |cursor| cursor.prepare(range))?;
    let mut open = Vec::new();
    open.try_reserve_exact(processors as usize).map_err(|_| OutOfMemory)?;
    for _ in 0..processors {
        open.try_push(AtomicU8::new(0))?;
    }
    assert!(OPEN.set(open).is_ok(), "there is one set of windows");
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

/// A page of memory that the kernel does not own. It lives on one processor,
/// with interrupts masked: keep it short.
///
/// Every access can fail, because the page can be taken away meanwhile. Offsets
/// are in bytes; an access beyond the page's end is a panic, so callers check
/// what comes from outside.
#[derive(Debug)]
pub struct Window {
    address: u64,
    /// The bit in the processor's entry of [`OPEN`].
    bit: u8,
    _masked: Masked,
}

impl Window {
    /// Opens a window to the page at guest physical address `page`, for reading
    /// and writing. It is memory, not registers of a device.
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
    /// The processor has four windows open, or is more than the boot block allows.
    pub fn open(page: u64, encryption: Encryption) -> Result<Self, WindowError> {
        if !page.is_multiple_of(SIZE_4K) {
            return Err(WindowError::Address(page));
        }
        if region().contains(&page) {
            return Err(WindowError::Own(page));
        }
        let masked = mask();
        let processor = current().index().number();
        let Some(open) = open_windows(processor) else {
            panic!("windows have started, for all processors");
        };
        // Interrupts are masked and the entry is the processor's own.
        let slot = open.load(Ordering::Relaxed).trailing_ones();
        assert!(u64::from(slot) < WINDOWS_PER_PROCESSOR, "a processor has four windows at most");
        let (address, bit) = (first_window(processor) + u64::from(slot) * PAGE_SIZE, 1 << slot);
        let attributes = Attributes { access: Access::ReadWrite, mode: Mode::Kernel, encryption };
        set_own_page(address, Some((page, attributes))).map_err(|_| WindowError::Address(page))?;
        open.fetch_or(bit, Ordering::Relaxed);
        Ok(Self { address, bit, _masked: masked })
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
    pub fn exchange(&self, offset: usize, value: u8) -> Result<u8, Fault> {
        self.bytes().exchange(offset, value)
    }

    /// The page.
    fn bytes(&self) -> ForeignBytes {
        // SAFETY: INV-FOREIGN-1: the window leads to a page that is not the
        // module's, for as long as it lives.
        unsafe { ForeignBytes::new(self.address, SIZE_4K as usize, Guarded::No) }
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        let closed = set_own_page(self.address, None);
        assert!(closed.is_ok(), "the place led to a page, so it has a table");
        flush_own(self.address..self.address + PAGE_SIZE);
        // Still masked, so still the same processor.
        if let Some(open) = open_windows(current().index().number()) {
            open.fetch_and(!self.bit, Ordering::Relaxed);
        }
    }
}

fn open_windows(processor: u32) -> Option<&'static AtomicU8> {
    OPEN.get()?.get(processor as usize)
}

/// Address of a processor's first window.
const fn first_window(processor: u32) -> u64 {
    WINDOWS + processor as u64 * WINDOWS_PER_PROCESSOR * PAGE_SIZE
}
