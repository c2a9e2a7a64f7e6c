//! `SVSM_CORE_PVALIDATE`: pages become validated or not.
//!
//! | asked for | in this order |
//! |---|---|
//! | validate | PVALIDATE; clear; permit: the guest sees zeros, never what was there |
//! | rescind | forbid; PVALIDATE; at the end of the call all processors forget |
//!
//! A step that fails undoes those before it. Where that fails as well, nobody
//! knows what the page is: it stays claimed, and so nobody's, for ever.

use abi_snp::PageSize;
use abi_svsm::ResultCode;
use abi_svsm::core_protocol::{Unchanged, ValidationAction, ValidationEntry};
use page_state::{Claim, DetailBlocks, PageState};

use crate::access::{ClaimError, part_of};
use crate::guest_calls::GuestCalls;
use crate::level::GUESTS;
use crate::machine::{Change, Inaccessible, InstructionError, Machine, OpenPage};
use crate::page_rights::ClaimedPage;

/// How many pages of 4 KiB one call clears before it ends with
/// [`ResultCode::INCOMPLETE`], so that the guest's processor can take its
/// interrupts; a page of 2 MiB that is begun is finished.
pub const PAGES_PER_CALL: u32 = 2048;

impl From<InstructionError> for ResultCode {
    fn from(InstructionError(code): InstructionError) -> Self {
        code.map_or(Self::UNKNOWN_RETURN_CODE, |code| Self::of_instruction(code.number()))
    }
}

impl From<Inaccessible> for ResultCode {
    fn from(Inaccessible: Inaccessible) -> Self {
        Self::INVALID_ADDRESS
    }
}

/// What a failed step leaves.
pub(crate) enum Failure {
    /// The page is what it was.
    Undone(ResultCode),
    /// The page is what it was to become; the guest is told something all the
    /// same.
    Done(ResultCode),
    /// Nobody knows what the page is.
    Unknown(ResultCode),
}

impl<M: Machine, B: DetailBlocks> GuestCalls<'_, M, B> {
    /// Does what one entry of a list says.
    #[inline(always)]
    pub(crate) fn change_validation(&self, entry: ValidationEntry) -> Result<(), ResultCode> {
        // Once for each size, and below for each action: what follows from these
        // is then known, and most of the work that it would be.
        match entry.size {
            size @ PageSize::Size4K => self.change_page(ValidationEntry { size, ..entry }),
            size @ PageSize::Size2M => self.change_page(ValidationEntry { size, ..entry }),
        }
    }

    #[inline(always)]
    fn change_page(&self, entry: ValidationEntry) -> Result<(), ResultCode> {
        const NOT_YET: PageState = PageState::Unvalidated;
        match entry.action {
            ValidationAction::Validate => {
                self.change(entry, NOT_YET, GUESTS, |claim| self.validate(claim, entry.unchanged))
            }
            ValidationAction::Rescind => {
                self.change(entry, GUESTS, NOT_YET, |claim| self.rescind(claim, entry.unchanged))
            }
        }
    }

    /// Changes the pages of an entry from one state to another by `step`.
    #[inline(always)]
    fn change(
        &self,
        entry: ValidationEntry,
        expected: PageState,
        next: PageState,
        step: impl FnOnce(&Claim<'_, B>) -> Result<(), Failure>,
    ) -> Result<(), ResultCode> {
        match self.claim(part_of(entry.page, entry.size), expected, next) {
            Ok(claim) => {
                let done = step(&claim);
                finish(claim, done)
            }
            Err(ClaimError::State) => self.already_changed(entry, expected, next),
            Err(ClaimError::Refused(code)) => Err(code),
        }
    }

    #[inline(always)]
    fn validate(&self, claim: &Claim<'_, B>, unchanged: Unchanged) -> Result<(), Failure> {
        let page = self.open(claim)?;
        let change = page.validate().map_err(|error| Failure::Undone(error.into()))?;
        if (change, unchanged) == (Change::Unchanged, Unchanged::Refuse) {
            return Err(Failure::Undone(ResultCode::UNCHANGED));
        }
        let undo = |code| match page.rescind() {
            Ok(_) => Failure::Undone(code),
            Err(_) => Failure::Unknown(code),
        };
        page.clear().map_err(|error| undo(error.into()))?;
        page.permit().map_err(|error| undo(error.into()))
    }

    #[inline(always)]
    fn rescind(&self, claim: &Claim<'_, B>, unchanged: Unchanged) -> Result<(), Failure> {
        let page = self.open(claim)?;
        let undo = |code| match page.permit() {
            Ok(()) => Failure::Undone(code),
            Err(_) => Failure::Unknown(code),
        };
        page.forbid().map_err(|error| undo(error.into()))?;
        match page.rescind() {
            // The host has taken it away before.
            Ok(Change::Unchanged) if unchanged == Unchanged::Refuse => {
                Err(Failure::Done(ResultCode::UNCHANGED))
            }
            Ok(_) => Ok(()),
            Err(error) => Err(undo(error.into())),
        }
    }

    /// Opens the pages of a claim.
    #[inline(always)]
    pub(crate) fn open(&self, claim: &Claim<'_, B>) -> Result<M::Open<'_>, Failure> {
        self.machine.open(ClaimedPage::of(claim)).map_err(|error| Failure::Undone(error.into()))
    }

    /// What becomes of an entry whose pages are not what they should be: they
    /// may be already what they were to become.
    #[inline(never)]
    fn already_changed(
        &self,
        entry: ValidationEntry,
        expected: PageState,
        next: PageState,
    ) -> Result<(), ResultCode> {
        let part = part_of(entry.page, entry.size);
        let mut states =
            (part.first()..part.first() + part.count()).map(|page| self.pages.state(page));
        if states.clone().all(|state| state == next) {
            return match (entry.unchanged, entry.action) {
                (Unchanged::Refuse, _) => Err(ResultCode::UNCHANGED),
                (Unchanged::Ignore, ValidationAction::Rescind) => Ok(()),
                (Unchanged::Ignore, ValidationAction::Validate) => self.clear(entry),
            };
        }
        let is_mixture = states.all(|state| state == next || state == expected);
        Err(match is_mixture && entry.size == PageSize::Size2M {
            // As pages of 4 KiB, each of them can be told what it is.
            true => ResultCode::SIZE_MISMATCH,
            false => ResultCode::INVALID_ADDRESS,
        })
    }

    /// Clears pages that are the guest's, as after a validation.
    fn clear(&self, entry: ValidationEntry) -> Result<(), ResultCode> {
        let part = part_of(entry.page, entry.size);
        // The claim is only for being alone: dropped, it changes nothing.
        let claim = self.claim(part, GUESTS, PageState::Unvalidated)?;
        Ok(self.machine.open(ClaimedPage::of(&claim))?.clear()?)
    }
}

/// Ends a claim as its change went.
#[inline(always)]
pub(crate) fn finish<B: DetailBlocks>(
    claim: Claim<'_, B>,
    done: Result<(), Failure>,
) -> Result<(), ResultCode> {
    match done {
        Ok(()) => {
            claim.commit();
            Ok(())
        }
        Err(Failure::Undone(code)) => Err(code),
        Err(Failure::Done(code)) => {
            claim.commit();
            Err(code)
        }
        Err(Failure::Unknown(code)) => {
            core::mem::forget(claim);
            Err(code)
        }
    }
}
