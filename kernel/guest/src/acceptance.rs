//! All memory that is not the module's becomes the guest's.
//!
//! Linux uses all memory that it is told of without validating it first. So
//! before it starts, every page of the VM that nobody has accepted is made
//! private by the host, accepted, and given to the guest's level: 2 MiB at a
//! time where the whole 2 MiB are in the same state, by all processors.
//!
//! The content is what the host put there, as in a machine that is switched on,
//! and nothing that was the module's: when all is accepted, the module looks
//! whether it still has its own memory ([`Guests::check_own_memory`]). The first
//! MiB is cleared all the same: kernels look there for tables of a firmware.

use core::ops::Range;
use core::sync::atomic::{AtomicU64, Ordering};

use abi_snp::{PageSize, ReturnCode};
use abi_x86::SIZE_4K;
use hal::guest::{GuestPage, Guests, PageFailure, Validated};
use hal::{StopReason, stop};
use kernel_log::log_for_host;
use page_state::{ChunkPart, PAGE_SIZE, PageAccount, PageState, Work};

use crate::level::{GUEST, GUEST_PAGE, GUEST_PERMISSIONS};

/// Where the memory ends that is cleared.
const CLEARED_END: u64 = 1 << 20;

/// The work, and how much of it is done.
#[derive(Debug)]
pub(crate) struct Acceptance {
    guests: Guests,
    table: &'static PageAccount,
    work: Work,
    large: AtomicU64,
    small: AtomicU64,
    split: AtomicU64,
}

/// Pages that were accepted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counts {
    /// Pages of 2 MiB.
    pub(crate) large: u64,
    /// Pages of 4 KiB.
    pub(crate) small: u64,
    /// Pages of 2 MiB that the host has only as small ones.
    pub(crate) split: u64,
}

impl Acceptance {
    /// Everything that the table knows.
    pub(crate) fn new(guests: Guests, table: &'static PageAccount) -> Self {
        Self {
            guests,
            table,
            work: Work::new(0..table.end()),
            large: AtomicU64::new(0),
            small: AtomicU64::new(0),
            split: AtomicU64::new(0),
        }
    }

    /// Has the host make all pages private that nobody has accepted.
    pub(crate) fn make_private(&self) {
        let all = Work::new(0..self.table.end());
        let parts = core::iter::from_fn(|| all.next());
        let pages = parts.flat_map(|part| self.unaccepted(part)).flat_map(pages_of);
        if let Err(reason) = self.guests.make_private(pages) {
            stop(reason)
        }
    }

    /// Accepts pages until none are left to be taken. Any number of processors
    /// can do that at the same time.
    pub(crate) fn help(&self) {
        while let Some(part) = self.work.next() {
            for run in self.unaccepted(part) {
                if let Err(error) = self.accept(run) {
                    let gpa = run.first() * PAGE_SIZE;
                    log_for_host!(Error, "the guest's memory at {gpa:#x}: {error}");
                    stop(StopReason::HostValidation)
                }
            }
        }
    }

    /// How much has been done.
    pub(crate) fn counts(&self) -> Counts {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts { large: of(&self.large), small: of(&self.small), split: of(&self.split) }
    }

    /// Pages of `part` that nobody has accepted, run by run.
    fn unaccepted(&self, part: ChunkPart) -> impl Iterator<Item = ChunkPart> {
        let end = part.first() + part.count();
        let mut rest = Some(part);
        core::iter::from_fn(move || {
            let run = self.table.first_run(rest?, PageState::Unvalidated)?;
            let next = run.first() + run.count();
            // Empty at the end of the part.
            rest = ChunkPart::new(next, end - next);
            Some(run)
        })
    }

    fn accept(&self, run: ChunkPart) -> Result<(), Unaccepted> {
        let claim = self.table.claim(run, PageState::Unvalidated, GUEST_PAGE)?;
        let first = run.first() * PAGE_SIZE;
        if run.is_whole() {
            self.accept_large(first)?;
        } else {
            self.accept_small(first..first + run.count() * PAGE_SIZE)?;
        }
        claim.commit();
        Ok(())
    }

    fn accept_large(&self, gpa: u64) -> Result<(), Unaccepted> {
        let outcome = accept_page(&self.guests.page(gpa, PageSize::Size2M)?, gpa);
        match outcome {
            Err(Unaccepted::Page(PageFailure::Refused(ReturnCode::FailSizeMismatch))) => {
                self.split.fetch_add(1, Ordering::Relaxed);
                self.accept_small(gpa..gpa + PageSize::Size2M.bytes())
            }
            done => {
                self.large.fetch_add(1, Ordering::Relaxed);
                done
            }
        }
    }

    fn accept_small(&self, range: Range<u64>) -> Result<(), Unaccepted> {
        for gpa in range.step_by(SIZE_4K as usize) {
            accept_page(&self.guests.page(gpa, PageSize::Size4K)?, gpa)?;
            self.small.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// Accepts one page for the guest.
fn accept_page(page: &GuestPage, gpa: u64) -> Result<(), Unaccepted> {
    if page.validate()? == Validated::Unchanged {
        return Err(Unaccepted::Already);
    }
    if gpa < CLEARED_END {
        page.content().clear()?;
    }
    page.permit(GUEST, GUEST_PERMISSIONS)?;
    Ok(())
}

/// The largest pages that make up `run`.
fn pages_of(run: ChunkPart) -> impl Iterator<Item = (u64, PageSize)> {
    let (count, size) =
        if run.is_whole() { (1, PageSize::Size2M) } else { (run.count(), PageSize::Size4K) };
    let first = run.first() * PAGE_SIZE;
    (0..count).map(move |index| (first + index * size.bytes(), size))
}

/// Why a page was not accepted.
#[derive(Debug, thiserror::Error)]
enum Unaccepted {
    #[error("it was validated before")]
    Already,
    #[error(transparent)]
    Page(#[from] PageFailure),
    #[error(transparent)]
    Window(#[from] hal::memory::WindowError),
    #[error(transparent)]
    Fault(#[from] hal::Fault),
    #[error(transparent)]
    Refusal(#[from] page_state::Refusal),
}
