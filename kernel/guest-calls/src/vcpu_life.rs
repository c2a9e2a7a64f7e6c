//! `SVSM_CORE_CREATE_VCPU` and `SVSM_CORE_DELETE_VCPU`: from a page to a save
//! area and back.

use abi_snp::PageSize;
use abi_svsm::{GuestPage, ResultCode};
use abi_x86::Efer;
use page_state::{ChunkPart, Claim, DetailBlocks, PageState};

use crate::access::part_of;
use crate::guest_calls::GuestCalls;
use crate::level::{GUEST_LEVEL, GUESTS};
use crate::machine::{EntryRight, Inaccessible, Machine, OpenPage, SaveAreaProperties};
use crate::page_list::Caller;
use crate::page_rights::SaveAreaPage;
use crate::registry::{DeleteError, DyingVcpu};
use crate::validation::{Failure, finish};

/// A virtual processor to be made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewVcpuPages {
    pub(crate) save_area: GuestPage,
    pub(crate) calling_area: GuestPage,
    pub(crate) apic_id: u32,
}

impl<M: Machine, B: DetailBlocks> GuestCalls<'_, M, B> {
    /// Makes a virtual processor.
    #[inline(never)]
    pub(crate) fn create_vcpu(
        &self,
        caller: Caller<'_>,
        pages: NewVcpuPages,
    ) -> Result<(), ResultCode> {
        let NewVcpuPages { save_area, calling_area, apic_id } = pages;
        if save_area == calling_area {
            return Err(ResultCode::INVALID_ADDRESS);
        }
        let target = self.registry.processor_with(apic_id).ok_or(ResultCode::INVALID_PARAMETER)?;
        let claim =
            self.claim(part_of(save_area, PageSize::Size4K), GUESTS, PageState::SaveArea)?;
        let held = self.hold_guest_page(caller.processor, calling_area)?;
        self.check_unused(caller.processor, calling_area, target)?;
        let new = self
            .registry
            .create(save_area.number(), target)
            .map_err(|_| ResultCode::INVALID_REQUEST)?;
        new.set_calling_area(calling_area.number());
        drop(held);
        let done = self.make_save_area(&claim, SaveAreaPage::new(save_area));
        finish(claim, done)?;
        new.ready();
        Ok(())
    }

    fn make_save_area(&self, claim: &Claim<'_, B>, area: SaveAreaPage<'_>) -> Result<(), Failure> {
        let page = self.open(claim)?;
        let undo = |code| match page.permit() {
            Ok(()) => Failure::Undone(code),
            Err(_) => Failure::Unknown(code),
        };
        // From here on, the guest cannot change what is about to be checked.
        page.forbid().map_err(|error| undo(error.into()))?;
        self.machine.forget_everywhere();
        let properties = self.machine.properties(area).map_err(|error| undo(error.into()))?;
        if !self.is_acceptable(properties) {
            return Err(undo(ResultCode::INVALID_PARAMETER));
        }
        page.make_save_area().map_err(|error| undo(error.into()))
    }

    fn is_acceptable(&self, properties: SaveAreaProperties) -> bool {
        let SaveAreaProperties { vmpl, efer, sev_features } = properties;
        vmpl == GUEST_LEVEL.number() && efer.contains(Efer::SVME) && sev_features == self.features
    }

    /// Deletes a virtual processor that is not the caller's.
    pub(crate) fn delete_vcpu(&self, save_area: GuestPage) -> Result<(), ResultCode> {
        let dying = self.registry.delete(save_area.number()).map_err(|error| match error {
            DeleteError::Unknown | DeleteError::First => ResultCode::INVALID_PARAMETER,
            DeleteError::InUse => ResultCode::IN_USE,
        })?;
        let area = SaveAreaPage::new(save_area);
        self.machine.set_entry(area, EntryRight::Forbidden)?;
        self.end_save_area(area, dying).map_err(|(code, dying)| {
            if let Some(dying) = dying {
                // It goes on, if the host lets it.
                let (Ok(()) | Err(Inaccessible)) =
                    self.machine.set_entry(area, EntryRight::Allowed);
                drop(dying);
            }
            code
        })
    }

    /// Makes a save area that no processor can enter a page like others, and
    /// ends its virtual processor.
    ///
    /// On failure, the virtual processor comes back if it has not ended.
    pub(crate) fn end_save_area<'r>(
        &self,
        area: SaveAreaPage<'_>,
        dying: DyingVcpu<'r>,
    ) -> Result<(), (ResultCode, Option<DyingVcpu<'r>>)> {
        let part = ChunkPart::page(area.page().number());
        let claim = match self.claim(part, PageState::SaveArea, GUESTS) {
            Ok(claim) => claim,
            Err(error) => return Err((error.into(), Some(dying))),
        };
        let page = match self.open(&claim) {
            Ok(page) => page,
            Err(Failure::Undone(code) | Failure::Done(code) | Failure::Unknown(code)) => {
                return Err((code, Some(dying)));
            }
        };
        if let Err(error) = page.unmake_save_area() {
            return Err((error.into(), Some(dying)));
        }
        let permitted = page.permit();
        drop(page);
        // Nobody can run with it any more, whatever the guest may do with the
        // page.
        dying.gone();
        finish(claim, permitted.map_err(|error| Failure::Unknown(error.into())))
            .map_err(|code| (code, None))
    }
}
