//! Where an access that faulted was to, by its linear address.

use abi_snp::PageSize;
use machine::Gpa;
use machine::processor::instruction_address;
use machine::reverse_map::AccessKind;
use page_walk::Privilege;

use super::guest::Guest;
use super::memory_access::Reach;

impl Guest {
    /// The linear address by which the instruction that a processor is at
    /// accesses the page with `gpa`: its operand, or one of those that
    /// instructions have without naming them. The emulated processor does not
    /// tell. `None` if it is none of these, so for accesses to tables.
    pub(super) fn linear_address(
        &mut self,
        number: usize,
        gpa: Gpa,
        kind: AccessKind,
    ) -> Option<u64> {
        let c_bit = self.world.views.c_bit();
        let instruction = self.try_instruction(number).ok();
        let general = self.cores[number].vcpu.registers.clone();
        let save = self.cores[number].vcpu.save();
        let operand = instruction.and_then(|found| found.memory_address(save, &general));
        let fetched = Some(instruction_address(save));
        let pushed = Some(save.rsp.wrapping_sub(8));
        let candidates = match kind {
            AccessKind::Fetch => [fetched, None, None, None, None],
            _ => [operand, Some(general.rsi), Some(general.rdi), Some(save.rsp), pushed],
        };
        let privilege = Privilege::of_software(save.cpl, save.rflags);
        let reach = Reach::new(&self.world.ram, c_bit, save);
        let leads_there = |linear: &u64| {
            let found = reach.translate(*linear, page_walk::Access::Read, privilege);
            let page = PageSize::Size4K;
            found.is_ok_and(|(found, _)| found.page(page) == gpa.page(page))
        };
        // What begins in the page before goes on at the start of this one.
        let next_page = |linear: u64| (linear | (PageSize::Size4K.bytes() - 1)).wrapping_add(1);
        let addresses = candidates.into_iter().flatten();
        addresses.flat_map(|linear| [linear, next_page(linear)]).find(leads_there)
    }
}
