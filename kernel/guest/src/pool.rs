//! Memory that the guest gives the module.
//!
//! The module needs more memory while it runs for one thing: to keep account of
//! single pages where a guest has many chunks of 2 MiB whose pages differ. When
//! what it has for that runs low, the next page that the guest gives becomes such
//! memory, for ever. Others are kept, and given back when the guest asks.

use alloc::vec::Vec;

use abi_snp::PageSize;
use abi_svsm::GuestPage;
use guest_calls::{ClaimedPage, PoolFull};
use hal::OutOfMemory;
use hal::guest::Guests;
use hal::sync::{Rank, SpinLock};
use page_state::PageAccount;

/// Most pages of 4 KiB that are kept: more than the 512 of a large page.
const MOST_SPARE: usize = 1024;

/// How many blocks must be free for pages to be kept: more than the calls of all
/// processors take at a time.
const FEW_BLOCKS: usize = 64;

/// The pages that are kept.
#[derive(Debug)]
pub(crate) struct Pool {
    table: &'static PageAccount,
    /// Has room for all that there can be.
    spare: SpinLock<Vec<GuestPage>>,
}

impl Pool {
    /// # Errors
    ///
    /// There is no memory for its list.
    pub(crate) fn new(table: &'static PageAccount) -> Result<Self, OutOfMemory> {
        let mut spare = Vec::new();
        spare.try_reserve_exact(MOST_SPARE).map_err(|_| OutOfMemory)?;
        Ok(Self { table, spare: SpinLock::new(Rank::Subsystem, spare) })
    }

    /// Takes a page of the guest's, whose permissions are withdrawn.
    pub(crate) fn accept(&self, guests: Guests, page: ClaimedPage<'_>) -> Result<(), PoolFull> {
        if page.size() == PageSize::Size4K && self.use_for_account(guests, page) {
            return Ok(());
        }
        let mut spare = self.spare.lock();
        let count = usize::from(page.size().small_pages());
        if MOST_SPARE - spare.len() < count {
            return Err(PoolFull);
        }
        let first = page.page().address();
        let size = PageSize::Size4K.bytes();
        #[expect(clippy::disallowed_methods, reason = "there is room: nothing is allocated")]
        spare.extend((0..count as u64).map(|index| GuestPage::containing(first + index * size)));
        Ok(())
    }

    /// A page to give back.
    pub(crate) fn give_up(&self) -> Option<GuestPage> {
        self.spare.lock().pop()
    }

    /// Keeps a page that was not given back after all.
    pub(crate) fn take_back(&self, page: GuestPage) {
        let mut spare = self.spare.lock();
        // Another may have come meanwhile; the page is the module's either way.
        if spare.len() < MOST_SPARE {
            #[expect(clippy::disallowed_methods, reason = "there is room: nothing is allocated")]
            spare.extend([page]);
        }
    }

    /// Whether there are pages to give back.
    pub(crate) fn has_spare(&self) -> bool {
        !self.spare.lock().is_empty()
    }

    /// Makes a page memory of the account, if that runs low.
    fn use_for_account(&self, guests: Guests, page: ClaimedPage<'_>) -> bool {
        let blocks = self.table.blocks();
        if blocks.free() >= FEW_BLOCKS {
            return false;
        }
        let Ok(open) = guests.page(page.page().address(), PageSize::Size4K) else { return false };
        match open.adopt() {
            Ok(memory) => {
                let added = blocks.add(memory);
                assert!(added.is_ok(), "as many pieces can be added as pages adopted");
                true
            }
            Err(_) => false,
        }
    }
}
