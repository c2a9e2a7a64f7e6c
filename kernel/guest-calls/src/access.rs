//! The two ways to a page: holding it and claiming it.

use abi_snp::PageSize;
use abi_svsm::{GuestPage, ResultCode};
use page_state::{ChunkPart, Claim, DetailBlocks, PageState, Refusal};

use crate::guest_calls::GuestCalls;
use crate::holds::Holder;
use crate::level::GUESTS;
use crate::machine::Machine;
use crate::page_rights::HeldPage;
use crate::registry::Calling;

/// The part of a chunk that is a page of this size.
pub(crate) fn part_of(page: GuestPage, size: PageSize) -> ChunkPart {
    let pages = u64::from(size.small_pages());
    ChunkPart::new(page.number(), pages).expect("pages of 2 MiB are aligned, and are chunks")
}

/// Why pages cannot be claimed, as far as callers tell cases apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClaimError {
    /// A page is something else.
    State,
    /// The call is refused with this code.
    Refused(ResultCode),
}

impl From<ClaimError> for ResultCode {
    fn from(error: ClaimError) -> Self {
        match error {
            ClaimError::State => Self::INVALID_ADDRESS,
            ClaimError::Refused(code) => code,
        }
    }
}

impl<M: Machine, B: DetailBlocks> GuestCalls<'_, M, B> {
    /// Holds a page that is the guest's and no calling area, save perhaps that
    /// of `vcpu`.
    pub(crate) fn hold(
        &self,
        processor: usize,
        vcpu: Calling<'_>,
        page: GuestPage,
    ) -> Result<HeldPage<'_>, ResultCode> {
        match page.number() == vcpu.calling_area() {
            true => self.hold_guest_page(processor, page),
            false => self.hold_buffer(processor, page),
        }
    }

    /// Holds a page that is the guest's and no calling area at all.
    pub(crate) fn hold_buffer(
        &self,
        processor: usize,
        page: GuestPage,
    ) -> Result<HeldPage<'_>, ResultCode> {
        if self.registry.calling_areas().any(|(_, area)| area == page.number()) {
            return Err(ResultCode::INVALID_ADDRESS);
        }
        self.hold_guest_page(processor, page)
    }

    /// Holds a page that is the guest's.
    pub(crate) fn hold_guest_page(
        &self,
        processor: usize,
        page: GuestPage,
    ) -> Result<HeldPage<'_>, ResultCode> {
        let hold = self.registry.hold(processor, page.number());
        let part = ChunkPart::page(page.number());
        if self.pages.first_run(part, GUESTS).is_some() {
            return Ok(HeldPage::new(page, hold));
        }
        drop(hold);
        Err(match self.pages.state(page.number()) == GUESTS {
            true => ResultCode::BUSY,
            false => ResultCode::INVALID_ADDRESS,
        })
    }

    /// Claims pages that are all `expected` and that nobody holds.
    #[inline(always)]
    pub(crate) fn claim(
        &self,
        part: ChunkPart,
        expected: PageState,
        next: PageState,
    ) -> Result<Claim<'_, B>, ClaimError> {
        let claim = self.pages.claim(part, expected, next).map_err(|refusal| match refusal {
            Refusal::State { .. } | Refusal::Transition { .. } => ClaimError::State,
            Refusal::Claimed { .. } => ClaimError::Refused(ResultCode::BUSY),
            // Whoever gives the module memory may try again.
            Refusal::OutOfBlocks => ClaimError::Refused(ResultCode::memory_required(1)),
        })?;
        match self.registry.holder(part.first(), part.count()) {
            None => Ok(claim),
            Some(Holder::CallingArea) => Err(ClaimError::Refused(ResultCode::INVALID_ADDRESS)),
            Some(Holder::Access) => Err(ClaimError::Refused(ResultCode::BUSY)),
        }
    }
}
