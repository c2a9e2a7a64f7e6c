//! What gives access to a page: each of these stands for a page of which the
//! account says that it may be touched so.

use core::marker::PhantomData;

use abi_snp::PageSize;
use abi_svsm::GuestPage;
use page_state::{Claim, DetailBlocks};

use crate::holds::Hold;
use crate::registry::Calling;

/// A page of the guest's that stays one while this lives. Only this crate makes
/// one.
#[derive(Debug)]
pub struct HeldPage<'r> {
    page: GuestPage,
    /// `None` for a calling area, which is held by the registry.
    _hold: Option<Hold<'r>>,
}

impl<'r> HeldPage<'r> {
    /// A page of the guest's, announced by this hold.
    pub(crate) const fn new(page: GuestPage, hold: Hold<'r>) -> Self {
        Self { page, _hold: Some(hold) }
    }

    /// The calling area of a virtual processor that serves a call.
    pub(crate) fn calling_area(vcpu: Calling<'r>) -> Self {
        Self { page: page_of_number(vcpu.calling_area()), _hold: None }
    }

    /// The page.
    #[must_use]
    pub const fn page(&self) -> GuestPage {
        self.page
    }
}

/// A page that one processor is changing. Only this crate makes one.
#[derive(Clone, Copy, Debug)]
pub struct ClaimedPage<'c> {
    page: GuestPage,
    size: PageSize,
    claim: PhantomData<&'c ()>,
}

impl<'c> ClaimedPage<'c> {
    /// The pages of a claim, which is of one page of 4 KiB or of a whole chunk.
    #[inline(always)]
    pub(crate) fn of<B: DetailBlocks>(claim: &'c Claim<'_, B>) -> Self {
        let part = claim.part();
        let size = if part.is_whole() { PageSize::Size2M } else { PageSize::Size4K };
        Self { page: page_of_number(part.first()), size, claim: PhantomData }
    }

    /// The page, or the first 4 KiB of it.
    #[must_use]
    pub const fn page(&self) -> GuestPage {
        self.page
    }

    /// How large it is.
    #[must_use]
    pub const fn size(&self) -> PageSize {
        self.size
    }
}

/// A page that is, or is to become, a save area, and that nobody but the caller
/// changes. Only this crate makes one.
#[derive(Clone, Copy, Debug)]
pub struct SaveAreaPage<'a> {
    page: GuestPage,
    owner: PhantomData<&'a ()>,
}

impl SaveAreaPage<'_> {
    pub(crate) const fn new(page: GuestPage) -> Self {
        Self { page, owner: PhantomData }
    }

    /// The page.
    #[must_use]
    pub const fn page(&self) -> GuestPage {
        self.page
    }
}

/// The page with a number that the account of pages or the registry has.
pub(crate) const fn page_of_number(number: u64) -> GuestPage {
    GuestPage::containing(number << 12)
}
