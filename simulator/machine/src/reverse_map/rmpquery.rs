//! RMPQUERY: a level asks what one below it may do with a page.
//!
//! [APM 24594, RMPQUERY]. Not on every SNP processor: CPUID says whether.
//!
//! | register | in | out |
//! |---|---|---|
//! | RAX | linear address | return code |
//! | RCX | | page size |
//! | RDX | 7:0 target level | 7:0 target level, 15:8 its permissions, 16 save area |
//!
//! Checked in this order: [`SnpActive`](FaultRule::SnpActive),
//! [`Cpl0`](FaultRule::Cpl0), [`TargetExists`](RefusalRule::TargetExists),
//! [`TargetBelow`](RefusalRule::TargetBelow), the translation of the address as
//! for reading a byte, [`RmpCovered`](FaultRule::RmpCovered),
//! [`GuestOwned`](FaultRule::GuestOwned), [`ReverseMap`](FaultRule::ReverseMap),
//! [`Mutable`](FaultRule::Mutable), [`EntryFree`](FaultRule::EntryFree),
//! [`Validated`](FaultRule::Validated).
//!
//! What is returned, and that there is a code `FAIL_PERMISSION`, is public; the
//! rest is from memory: which levels may be asked about, the places in the
//! registers, and that the checks of the page are those of RMPADJUST.

use crate::execution::Execution;
use crate::reverse_map::completion::{Completion, Outcome};
use crate::reverse_map::instruction::{
    Registers, Stop, Translation, check_execution, linear_address, own_page,
};
use crate::reverse_map::map::ReverseMap;
use crate::reverse_map::rule::{FaultRule, RefusalRule};
use crate::reverse_map::statistics::{Ending, Event, Operation};
use abi_snp::PageSize;
use abi_snp::Vmpl;

impl ReverseMap {
    /// Executes RMPQUERY; RCX is not looked at.
    ///
    /// `translate` turns the linear address into a guest physical one, as for
    /// reading a byte. It is called once, or not at all if the instruction ends
    /// before.
    ///
    /// # Errors
    ///
    /// Those of `translate`: the instruction did not happen.
    pub fn rmpquery<E>(
        &mut self,
        registers: &Registers,
        execution: &Execution,
        translate: impl FnOnce(u64) -> Result<Translation, E>,
    ) -> Result<Outcome, E> {
        let mut size = PageSize::Size4K;
        let outcome = match check(registers, execution) {
            Err(stop) => stop.early(),
            Ok(target) => {
                let translation = translate(linear_address(registers))?;
                self.query(&translation, target).map_or_else(
                    |stop| stop.at(&translation),
                    |(found, completion)| {
                        size = found;
                        Outcome::Complete(completion)
                    },
                )
            }
        };
        let ending = Ending::from(&outcome);
        let (operation, vmpl) = (Operation::Rmpquery, Some(execution.vmpl));
        self.statistics.record(Event { operation, page_size: size, vmpl, ending });
        Ok(outcome)
    }

    fn query(
        &self,
        translation: &Translation,
        target: Vmpl,
    ) -> Result<(PageSize, Completion), Stop> {
        let entry = own_page(&self.table, translation)?.entry;
        if !entry.is_validated() {
            return Err(FaultRule::Validated.into());
        }
        let permissions = entry.permissions(target).bits();
        let save_area = u8::from(entry.is_save_area());
        let rdx = u64::from_le_bytes([target.number(), permissions, save_area, 0, 0, 0, 0, 0]);
        let size = entry.page_size();
        let rcx = size as u64;
        Ok((size, Completion { rcx: Some(rcx), rdx: Some(rdx), ..Completion::SUCCESS }))
    }
}

fn check(registers: &Registers, execution: &Execution) -> Result<Vmpl, Stop> {
    check_execution(execution)?;
    let [target, ..] = registers.rdx.to_le_bytes();
    let target = Vmpl::from_number(target).ok_or(RefusalRule::TargetExists)?;
    if !execution.vmpl.is_above(target) {
        return Err(RefusalRule::TargetBelow.into());
    }
    Ok(target)
}

#[cfg(test)]
mod tests;
