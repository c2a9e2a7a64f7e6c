//! Physical and virtual addresses of the region.
//!
//! The linear map leads from one to the other by adding a constant. It is known
//! from [`set`] on, which is the first thing that memory does at the start.

use core::ops::Range;

use abi_boot::VIRTUAL_BASE;

use crate::sync::Once;

/// Physical addresses of the region.
static REGION: Once<Range<u64>> = Once::new();

/// Notes where the region lies.
///
/// # Panics
///
/// It was noted before: memory starts once.
pub(super) fn set(region: Range<u64>) {
    assert!(REGION.set(region).is_ok(), "memory starts once");
}

/// Physical addresses of the region; none before [`set`].
pub(super) fn region() -> Range<u64> {
    REGION.get().cloned().unwrap_or_default()
}

/// Virtual address of the byte at a physical one.
///
/// # Panics
///
/// The address is not the region's: whoever asks owns memory of the region.
pub(crate) fn virtual_address(address: u64) -> u64 {
    let region = region();
    assert!(region.contains(&address), "{address:#x} lies outside the module's region");
    VIRTUAL_BASE + (address - region.start)
}

/// Physical address of a byte of the linear map, `None` for all other virtual
/// addresses.
pub(crate) fn physical_address(virtual_address: u64) -> Option<u64> {
    let region = region();
    let address = region.start.checked_add(virtual_address.checked_sub(VIRTUAL_BASE)?)?;
    region.contains(&address).then_some(address)
}
