//! The module's own memory becomes usable.
//!
//! The loader has filled and validated the parts of the image. What lies behind
//! them is free memory: the host has to assign it as private pages, and the
//! guest has to accept each page once. A page that is accepted already is not
//! the host's mistake to make: it would not be the page that the measurement
//! knows.
//!
//! Where a whole 2 MiB are free they are accepted as one page, unless the host
//! has split them.

use core::ops::Range;

use abi_boot::{BootBlock, VIRTUAL_BASE};
use abi_snp::ghcb::{
    ExitCode, GuestFrame, PageOperation, PageStateRequest, Progress, SaveArea, ValidFields,
};
use abi_snp::{PageSize, ReturnCode};
use abi_x86::SIZE_2M;

use super::ghcb::Ghcb;
use super::reverse_map::{Validated, Validation, pvalidate};
use crate::interrupts;
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

/// How often a host may return a list of pages without having done anything.
const MOST_IDLE_ROUNDS: u32 = 16;

/// The part of the region behind everything that the builder placed.
fn free_memory(block: &BootBlock<'static>) -> Range<u64> {
    // The sum cannot overflow in a checked block.
    let end = block.region_base.saturating_add(block.region_size);
    let in_region = block.parts().iter().filter(|part| part.end() <= end);
    let start = in_region.map(|part| part.end()).max().unwrap_or(end);
    start.max(block.region_base)..end
}

/// The largest pages that make up `range`, from its start on.
fn pages(range: Range<u64>) -> impl Iterator<Item = (u64, PageSize)> {
    let mut next = range.start;
    core::iter::from_fn(move || {
        let size = if next.is_multiple_of(SIZE_2M) && range.end.saturating_sub(next) >= SIZE_2M {
            PageSize::Size2M
        } else {
            PageSize::Size4K
        };
        let page = (next < range.end).then_some((next, size));
        next = next.saturating_add(size.bytes());
        page
    })
}

/// Makes all free memory of the region private and validates it.
///
/// # Errors
///
/// The host does not do its part.
pub(super) fn validate(block: &BootBlock<'static>) -> Result<Counts, StopReason> {
    let free = free_memory(block);
    make_private(free.clone())?;
    let mut counts = Counts::default();
    for (gpa, size) in pages(free) {
        let address = gpa - block.region_base + VIRTUAL_BASE;
        accept(address, size, &mut counts)?;
    }
    Ok(counts)
}

/// Asks the host to assign all pages of `range` as private ones.
fn make_private(range: Range<u64>) -> Result<(), StopReason> {
    let mut request = PageStateRequest::new();
    let mut is_empty = true;
    for (gpa, size) in pages(range) {
        let frame = GuestFrame::at(gpa).ok_or(StopReason::BootBlock)?;
        request.push(frame, PageOperation::Private, size).map_err(|_| StopReason::BootBlock)?;
        is_empty = false;
        if request.is_full() {
            change_state(&mut request)?;
            request = PageStateRequest::new();
            is_empty = true;
        }
    }
    if is_empty { Ok(()) } else { change_state(&mut request) }
}

/// Has the host work through the whole of `request`.
fn change_state(request: &mut PageStateRequest) -> Result<(), StopReason> {
    let masked = interrupts::mask();
    let ghcb = Ghcb::of_this_processor(&masked).ok_or(StopReason::HostPageState)?;
    let mut idle_rounds = 0;
    while let Some(image) = request.image() {
        ghcb.fill_buffer(image);
        let event = SaveArea {
            scratch: Some(ghcb.buffer_gpa()),
            ..SaveArea::request(ExitCode::SNP_PAGE_STATE_CHANGE.0, 0, 0)
        };
        let outputs =
            ghcb.ask(&event, ValidFields::EXIT_INFO_2).map_err(|_| StopReason::HostPageState)?;
        let progress = request
            .advance(outputs.exit_info_2, |offset| ghcb.buffer_word(offset))
            .map_err(|_| StopReason::HostPageState)?;
        match progress {
            Progress::Done => break,
            Progress::Advanced => idle_rounds = 0,
            Progress::Unchanged => idle_rounds += 1,
        }
        if idle_rounds == MOST_IDLE_ROUNDS {
            return Err(StopReason::HostPageState);
        }
    }
    Ok(())
}

/// Validates one free page of the region.
fn accept(address: u64, size: PageSize, counts: &mut Counts) -> Result<(), StopReason> {
    // SAFETY: INV-VALIDATE-1: free memory of the region has no user yet.
    match (unsafe { pvalidate(address, size, Validation::Validate) }, size) {
        (Ok(Validated::Changed), PageSize::Size2M) => counts.large += 1,
        (Ok(Validated::Changed), PageSize::Size4K) => counts.small += 1,
        (Ok(Validated::Unchanged), _) => return Err(StopReason::ValidatedBefore),
        (Err(Some(ReturnCode::FailSizeMismatch)), PageSize::Size2M) => {
            counts.split += 1;
            for (small, size) in (address..address + SIZE_2M)
                .step_by(PageSize::Size4K.bytes() as usize)
                .map(|small| (small, PageSize::Size4K))
            {
                accept(small, size, counts)?;
            }
        }
        (Err(_), _) => return Err(StopReason::Validation),
    }
    Ok(())
}
