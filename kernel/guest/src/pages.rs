//! The guest's pages, as the start of a guest handles them: given by the module,
//! filled in, told of.

use core::ops::Range;

use abi_boot::Part;
use abi_snp::PageSize;
use hal::Fault;
use hal::guest::{Guests, PageFailure};
use hal::memory::WindowError;
use page_state::{ChunkPart, Owner, PAGE_SIZE, PageAccount, PageState, Refusal};

use crate::level::{GUEST, GUEST_PAGE, GUEST_PERMISSIONS};

/// Why a page is not what it should be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PageError {
    #[error(transparent)]
    Refusal(#[from] Refusal),
    #[error(transparent)]
    Window(#[from] WindowError),
    #[error(transparent)]
    Page(#[from] PageFailure),
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Gives a part of the image, which was launched as the module's, to the guest.
///
/// # Errors
///
/// See [`PageError`].
pub(crate) fn give(guests: Guests, table: &PageAccount, part: &Part) -> Result<(), PageError> {
    for chunk in chunks(part.gpa / PAGE_SIZE..part.end() / PAGE_SIZE) {
        let claim = table.claim(chunk, PageState::Validated(Owner::Module), GUEST_PAGE)?;
        for page in chunk.first()..chunk.first() + chunk.count() {
            guests.page(page * PAGE_SIZE, PageSize::Size4K)?.permit(GUEST, GUEST_PERMISSIONS)?;
        }
        claim.commit();
    }
    Ok(())
}

/// Copies `bytes` to memory from `gpa` on, page by page. It is private memory
/// outside the region: the caller knows.
///
/// # Errors
///
/// See [`PageError`].
pub(crate) fn write(guests: Guests, gpa: u64, mut bytes: &[u8]) -> Result<(), PageError> {
    let mut next = gpa;
    while !bytes.is_empty() {
        let offset = (next % PAGE_SIZE) as usize;
        let room = PAGE_SIZE as usize - offset;
        let (now, rest) = bytes.split_at(bytes.len().min(room));
        guests.page(next - offset as u64, PageSize::Size4K)?.content().write(offset, now)?;
        next += now.len() as u64;
        bytes = rest;
    }
    Ok(())
}

/// Copies memory from `gpa` on to `bytes`, page by page, as [`write()`] does.
///
/// # Errors
///
/// See [`PageError`].
pub(crate) fn read(guests: Guests, gpa: u64, bytes: &mut [u8]) -> Result<(), PageError> {
    let mut next = gpa;
    let mut left = bytes;
    while !left.is_empty() {
        let offset = (next % PAGE_SIZE) as usize;
        let room = left.len().min(PAGE_SIZE as usize - offset);
        let (now, rest) = left.split_at_mut(room);
        guests.page(next - offset as u64, PageSize::Size4K)?.content().read(offset, now)?;
        next += room as u64;
        left = rest;
    }
    Ok(())
}

/// The ranges of addresses where the VM has memory, in order, none touching
/// another.
pub(crate) fn memory(table: &PageAccount) -> impl Iterator<Item = Range<u64>> {
    let runs = runs(table).filter(|(state, _)| *state != PageState::Absent);
    let mut runs = runs.map(|(_, range)| range).peekable();
    core::iter::from_fn(move || {
        let mut range = runs.next()?;
        while let Some(next) = runs.next_if(|next| next.start == range.end) {
            range.end = next.end;
        }
        Some(range)
    })
}

/// All pages by state and address, each run as far as its chunk.
fn runs(table: &PageAccount) -> impl Iterator<Item = (PageState, Range<u64>)> {
    let mut next = 0;
    core::iter::from_fn(move || {
        let (state, run) = table.run_from(next)?;
        next = run.first() + run.count();
        Some((state, run.first() * PAGE_SIZE..next * PAGE_SIZE))
    })
}

/// Pages by chunk.
fn chunks(pages: Range<u64>) -> impl Iterator<Item = ChunkPart> {
    let work = page_state::Work::new(pages);
    core::iter::from_fn(move || work.next())
}
