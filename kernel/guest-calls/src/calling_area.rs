//! `SVSM_CORE_REMAP_CA`, and what stands in calling areas.

use abi_svsm::{CallingArea, GuestPage, ResultCode};
use page_state::DetailBlocks;

use crate::guest_calls::GuestCalls;
use crate::holds::Holder;
use crate::machine::Machine;
use crate::page_list::Caller;
use crate::page_rights::page_of_number;

impl<M: Machine, B: DetailBlocks> GuestCalls<'_, M, B> {
    /// Moves the caller's calling area.
    #[inline(never)]
    pub(crate) fn remap_calling_area(
        &self,
        caller: Caller<'_>,
        page: GuestPage,
    ) -> Result<(), ResultCode> {
        let Caller { processor, vcpu } = caller;
        if page.number() == vcpu.calling_area() {
            return Ok(());
        }
        let held = self.hold_guest_page(processor, page)?;
        self.check_unused(processor, page, vcpu.processor())?;
        // Or else the host could have the module take what the page held before
        // for a call.
        self.machine.write(&held, CallingArea::CALL_PENDING_OFFSET, &[0])?;
        vcpu.set_calling_area(page.number());
        Ok(())
    }

    /// Says whether a page that this processor holds can be a calling area of
    /// processor `target`'s.
    pub(crate) fn check_unused(
        &self,
        processor: usize,
        page: GuestPage,
        target: u16,
    ) -> Result<(), ResultCode> {
        match self.registry.other_user(processor, page.number(), target) {
            None => Ok(()),
            Some(Holder::CallingArea) => Err(ResultCode::INVALID_ADDRESS),
            Some(Holder::Access) => Err(ResultCode::BUSY),
        }
    }

    /// Tells the guest in the first calling area whether it can withdraw memory.
    /// It is a hint: where it cannot be written, it is not.
    pub(crate) fn tell_memory_available(&self, processor: usize) {
        let Some(first) = self.registry.first_calling_area() else { return };
        let Ok(held) = self.hold_guest_page(processor, page_of_number(first)) else {
            return;
        };
        // It may have moved before the page was held.
        if self.registry.first_calling_area() == Some(first) {
            let available = [u8::from(self.machine.has_spare())];
            let _ = self.machine.write(&held, CallingArea::MEMORY_AVAILABLE_OFFSET, &available);
        }
    }
}
