//! Free memory of this machine.
//!
//! The loader's start information says what memory there is and where it put
//! modules; what is left is handed out page by page. Memory below 1 MiB is left
//! alone: firmware and loader use it. What lies below this program is kept for
//! guests, whose shared pages lie at their own addresses.

use core::ptr;
use core::slice;

use abi_pvh::{Array, MemoryKind, MemoryRange, Module, StartInfo, entries};
use abi_simulator::LOW_MEMORY_LIMIT;
use abi_x86::{SIZE_2M, SIZE_4K};
use frame_pool::{AddressRange, FramePool, TooManyRanges};
use zerocopy::FromZeros;

use crate::identity_map::MAPPED_END;
use crate::page::{PAGE_SIZE, Page};

/// End of the memory that firmware and loader use.
const LOW_MEMORY_END: u64 = 1 << 20;

/// Most separate ranges of free memory: the loader's map and modules make a
/// dozen.
const RANGES: usize = 64;

unsafe extern "C" {
    /// This program's first byte, by the linker script.
    static simulator_image_start: u8;
    /// The first byte behind it.
    static simulator_image_end: u8;
}

/// Free memory.
pub(crate) struct Memory {
    pool: FramePool<RANGES>,
    /// What lies where a guest's low memory is: only for [`Memory::claim`].
    low: FramePool<RANGES>,
    /// What the loader's first module holds.
    module: Option<&'static [u8]>,
}

/// Why memory cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MemoryError {
    /// The start information is malformed.
    #[error("{0}: was this program started by QEMU's -kernel option?")]
    StartInfo(#[from] abi_pvh::Error),
    /// The start information names an address that is not mapped.
    #[error("start information names address {0:#x}, which is not mapped")]
    Unreachable(u64),
    /// Free memory is in too many pieces.
    #[error(transparent)]
    TooManyRanges(#[from] TooManyRanges),
}

/// Why a certain range of memory cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ClaimError {
    /// Something else lies there, or nothing.
    #[error(
        "the guest needs this machine's memory from {start:#x} to {end:#x}, which is not all \
         free: start QEMU with more memory"
    )]
    InUse {
        /// First address.
        start: u64,
        /// First address behind it.
        end: u64,
    },
    /// Free memory is in too many pieces.
    #[error(transparent)]
    TooManyRanges(#[from] TooManyRanges),
}

impl Memory {
    /// Reads the start information at physical `start_info`, the value that the
    /// loader gave (INV-HV-ENTRY-1).
    ///
    /// # Errors
    ///
    /// See [`MemoryError`].
    pub(crate) fn of_machine(start_info: u64) -> Result<Self, MemoryError> {
        let place = Array { address: start_info, size: StartInfo::SIZE };
        let info = StartInfo::parse(loader_bytes(place)?)?;
        let mut pool = FramePool::new();
        for range in entries::<MemoryRange>(loader_bytes(info.memory_map())?)? {
            if range.kind == MemoryKind::RAM {
                pool.add(AddressRange::of_size(range.address, range.size))?;
            }
        }
        for array in [Some(place), Some(info.memory_map()), info.modules()].into_iter().flatten() {
            pool.reserve(AddressRange::of_size(array.address, array.size as u64))?;
        }
        let mut first_module = None;
        if let Some(modules) = info.modules() {
            for module in entries::<Module>(loader_bytes(modules)?)? {
                pool.reserve(AddressRange::of_size(module.address, module.size))?;
                let place = Array { address: module.address, size: module.size as usize };
                first_module.get_or_insert(loader_bytes(place)?);
            }
        }
        pool.reserve(AddressRange { start: 0, end: LOW_MEMORY_END })?;
        pool.reserve(AddressRange { start: MAPPED_END, end: u64::MAX })?;
        pool.reserve(AddressRange {
            start: (&raw const simulator_image_start).addr() as u64,
            end: (&raw const simulator_image_end).addr() as u64,
        })?;
        let mut low = pool.clone();
        low.reserve(AddressRange { start: LOW_MEMORY_LIMIT, end: u64::MAX })?;
        pool.reserve(AddressRange { start: 0, end: LOW_MEMORY_LIMIT })?;
        Ok(Self { pool, low, module: first_module })
    }

    /// What the loader's first module holds; QEMU's option `-initrd` gives one.
    pub(crate) fn module(&self) -> Option<&'static [u8]> {
        self.module
    }

    /// A page of zeros; `None` if there is no memory left.
    pub(crate) fn take_page(&mut self) -> Option<&'static Page> {
        self.take_pages(1)?.first()
    }

    /// `count` pages of zeros side by side; `None` if there are not as many.
    pub(crate) fn take_pages(&mut self, count: usize) -> Option<&'static [Page]> {
        let first = self.pool.take(count as u64)?;
        // SAFETY: INV-HV-MEMORY-1: free frames are mapped memory that nobody
        // uses, and the pool hands each out once.
        let pages = unsafe { Page::slice_at(first, count) };
        pages.iter().for_each(|page| page.fill(0));
        Some(pages)
    }

    /// The first byte of `count` pages side by side, whatever they hold; `None`
    /// if there are not as many. They are the caller's, for ever.
    pub(crate) fn take_range(&mut self, count: usize) -> Option<*mut u8> {
        let first = self.pool.take(count as u64)?;
        Some(ptr::with_exposed_provenance_mut(first as usize))
    }

    /// `count` pages of 2 MiB side by side, whatever they hold; `None` if there
    /// are not as many.
    pub(crate) fn take_large_pages(&mut self, count: usize) -> Option<&'static [Page]> {
        let pages = count * (SIZE_2M / SIZE_4K) as usize;
        let first = self.pool.take_aligned(pages as u64, SIZE_2M)?;
        // SAFETY: as in `take_pages`.
        Some(unsafe { Page::slice_at(first, pages) })
    }

    /// The pages from `start` to `end`, whatever they hold, if all of them are
    /// free.
    ///
    /// # Errors
    ///
    /// [`ClaimError`]; part of them may have been taken then.
    pub(crate) fn claim(&mut self, range: AddressRange) -> Result<&'static [Page], ClaimError> {
        let free = |memory: &Self| memory.pool.free() + memory.low.free();
        let before = free(self);
        self.pool.reserve(range)?;
        self.low.reserve(range)?;
        if before - free(self) != range.size() {
            return Err(ClaimError::InUse { start: range.start, end: range.end });
        }
        // SAFETY: as in `take_pages`: all of it was free until now.
        Ok(unsafe { Page::slice_at(range.start, (range.size() / SIZE_4K) as usize) })
    }

    /// 512 pages of zeros that make up an aligned 2 MiB; `None` if there are not
    /// as many.
    pub(crate) fn take_large_page(&mut self) -> Option<&'static [Page; 512]> {
        let first = self.pool.take_aligned(SIZE_2M / SIZE_4K, SIZE_2M)?;
        // SAFETY: as in `take_pages`.
        let pages = unsafe { Page::slice_at(first, (SIZE_2M / SIZE_4K) as usize) };
        pages.iter().for_each(|page| page.fill(0));
        pages.try_into().ok()
    }

    /// A value of zeros on a page of its own; `None` if there is no memory left.
    pub(crate) fn take_value<T: FromZeros>(&mut self) -> Option<&'static mut T> {
        const { assert!(size_of::<T>() <= PAGE_SIZE && align_of::<T>() <= PAGE_SIZE) };
        let page = self.take_page()?.address();
        // SAFETY: INV-HV-MEMORY-1: the page was handed out just now, to nobody
        // else; the reference to it as `Page` is gone. It is zero, which
        // `FromZeros` makes a valid `T`, and large and aligned enough.
        Some(unsafe { &mut *ptr::with_exposed_provenance_mut(page as usize) })
    }

    /// Takes the page at physical `address` back. Where there is no room to
    /// note it, it is lost.
    ///
    /// # Safety
    ///
    /// The page was handed out, and nobody (no reference, no processor) uses it
    /// any more (INV-HV-MEMORY-1).
    pub(crate) unsafe fn give_back(&mut self, address: u64) {
        let _ = self.pool.add(AddressRange::of_size(address, SIZE_4K));
    }
}

/// Bytes that the start information names.
fn loader_bytes(Array { address, size }: Array) -> Result<&'static [u8], MemoryError> {
    let end = address.checked_add(size as u64).filter(|end| *end <= MAPPED_END);
    if address == 0 || end.is_none() {
        return Err(MemoryError::Unreachable(address));
    }
    // SAFETY: INV-HV-ENTRY-1: the loader's data lies where it says. It is mapped,
    // any bytes will do, and nobody writes it: it is not part of this program,
    // and `of_machine` keeps it out of free memory.
    Ok(unsafe { slice::from_raw_parts(ptr::with_exposed_provenance(address as usize), size) })
}
