//! Pages outside the region that become the kernel's own, for ever.
//!
//! The region is what the image asks for. A guest can give the module more: such
//! a page is mapped in the last GiB and holds values of one type from then on.
//! Windows to it are refused.

use core::sync::atomic::{AtomicU64, Ordering};

use abi_boot::PAGE_SIZE;
use page_tables::Attributes;

use super::dynamic_area::ADOPTED;
use super::kernel_space::edit_owned;
use crate::OutOfMemory;
use crate::sync::{Rank, SpinLock};

/// Most pages that can be adopted.
const MOST: usize = 64;

/// The pages by guest physical address, in the order of adoption; the first
/// [`COUNT`] count, and their addresses do not change.
static PAGES: [AtomicU64; MOST] = [const { AtomicU64::new(0) }; MOST];

/// How many there are. The lock is held while one more is added.
static COUNT: SpinLock<usize> = SpinLock::new(Rank::VirtualMemory, 0);

/// The number of pages for readers without the lock.
static VISIBLE: AtomicU64 = AtomicU64::new(0);

/// Why a page does not become the kernel's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotAdopted {
    /// As many pages are as can be.
    #[error("the module has adopted {MOST} pages, and cannot adopt more")]
    TooMany,
    /// It is already.
    #[error("the page is the module's already")]
    Own,
    /// There is no memory for a page table.
    #[error(transparent)]
    OutOfMemory(#[from] OutOfMemory),
}

/// Whether a page of `range` is adopted.
pub(super) fn is_adopted(start: u64, size: u64) -> bool {
    let count = VISIBLE.load(Ordering::Acquire) as usize;
    let mut pages = PAGES.iter().take(count).map(|page| page.load(Ordering::Relaxed));
    pages.any(|page| page.checked_sub(start).is_some_and(|distance| distance < size))
}

/// Makes the private page of 4 KiB at `gpa`, which is not the region's, the
/// kernel's, filled with default values.
///
/// # Errors
///
/// See [`NotAdopted`].
///
/// # Safety
///
/// INV-ADOPT-1: no level below the module's has access to the page, nor gets
/// any, and nobody uses a window to it.
pub(crate) unsafe fn adopt<T: Default + Sync>(gpa: u64) -> Result<&'static [T], NotAdopted> {
    const { assert!(align_of::<T>() <= PAGE_SIZE as usize && size_of::<T>() != 0) };
    let address = {
        let mut count = COUNT.lock();
        if is_adopted(gpa, PAGE_SIZE) {
            return Err(NotAdopted::Own);
        }
        let place = PAGES.get(*count).ok_or(NotAdopted::TooMany)?;
        let address = ADOPTED + *count as u64 * PAGE_SIZE;
        edit_owned(address..address + PAGE_SIZE, |cursor| {
            cursor.map(address..address + PAGE_SIZE, gpa, Attributes::KERNEL_DATA)
        })?;
        place.store(gpa, Ordering::Relaxed);
        *count += 1;
        // From now on windows are refused.
        VISIBLE.store(*count as u64, Ordering::Release);
        address
    };
    let first: *mut T = core::ptr::with_exposed_provenance_mut(address as usize);
    let values = PAGE_SIZE as usize / size_of::<T>();
    for index in 0..values {
        // SAFETY: INV-ADOPT-1: the page is mapped, and nobody's but this
        // function's; as many values fit.
        unsafe { first.add(index).write(T::default()) };
    }
    // SAFETY: as above, and the values were written. The mapping stays for ever.
    Ok(unsafe { core::slice::from_raw_parts(first, values) })
}
