//! The module's own memory becomes usable.
//!
//! The loader has filled and validated the parts of the image. What lies between
//! and behind them is free memory: the host has to assign it as private pages,
//! and the guest has to accept each page once. A page that is accepted already
//! would not be the one that the measurement knows.
//!
//! Where a whole 2 MiB are free they are accepted as one page, unless the host
//! has split them.

use core::ops::Range;

use abi_boot::{BootBlock, VIRTUAL_BASE};
use abi_snp::ghcb::PageOperation;
use abi_snp::{PageSize, ReturnCode};
use abi_x86::{SIZE_2M, SIZE_4K};

use super::page_state;
use super::reverse_map::{Validated, Validation, pvalidate};
use crate::memory::free_memory;
use crate::stop_reason::StopReason;

/// Pages that were validated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Pages of 2 MiB.
    pub(super) large: u64,
    /// Pages of 4 KiB.
    pub(super) small: u64,
    /// Pages of 2 MiB that had to be validated as small ones.
    pub(super) split: u64,
}

/// Makes all free memory of the region private and validates it.
///
/// # Errors
///
/// The host does not do its part.
pub(super) fn validate(block: &BootBlock<'static>) -> Result<Counts, StopReason> {
    let pages = || free_memory(block).flat_map(pages_of);
    page_state::change(pages(), PageOperation::Private)?;
    let mut counts = Counts::default();
    for (gpa, size) in pages() {
        accept(gpa - block.region_base + VIRTUAL_BASE, size, &mut counts)?;
    }
    Ok(counts)
}

/// The largest pages that make up `range`, from its start on.
fn pages_of(range: Range<u64>) -> impl Iterator<Item = (u64, PageSize)> {
    let mut next = range.start;
    core::iter::from_fn(move || {
        let rest = range.end.saturating_sub(next);
        let is_large = next.is_multiple_of(SIZE_2M) && rest >= SIZE_2M;
        let size = if is_large { PageSize::Size2M } else { PageSize::Size4K };
        let page = (rest != 0).then_some((next, size));
        next = next.saturating_add(size.bytes());
        page
    })
}

/// Validates one free page of the region.
fn accept(address: u64, size: PageSize, counts: &mut Counts) -> Result<(), StopReason> {
    // SAFETY: INV-VALIDATE-1: free memory of the region has no user yet.
    match (unsafe { pvalidate(address, size, Validation::Validate) }, size) {
        (Ok(Validated::Changed), PageSize::Size2M) => counts.large += 1,
        (Ok(Validated::Changed), PageSize::Size4K) => counts.small += 1,
        (Ok(Validated::Unchanged), _) => return Err(StopReason::HostValidatedPage),
        (Err(Some(ReturnCode::FailSizeMismatch)), PageSize::Size2M) => {
            counts.split += 1;
            for small in (address..address + SIZE_2M).step_by(SIZE_4K as usize) {
                accept(small, PageSize::Size4K, counts)?;
            }
        }
        (Err(_), _) => return Err(StopReason::HostValidation),
    }
    Ok(())
}
