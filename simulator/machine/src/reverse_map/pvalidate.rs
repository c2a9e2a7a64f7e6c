//! PVALIDATE: the guest accepts a page, or gives it up.
//!
//! [APM 24593 §15.36.6], [APM 24594, PVALIDATE].
//!
//! | register | in | out |
//! |---|---|---|
//! | RAX | linear address | return code |
//! | ECX | bit 0: page size | |
//! | EDX | bit 0: validate (1) or rescind (0) | |
//! | CF | | 1 after success that changed nothing |
//!
//! Checked in this order: [`SnpActive`](FaultRule::SnpActive),
//! [`Cpl0`](FaultRule::Cpl0), [`Vmpl0`](FaultRule::Vmpl0),
//! [`LargeAligned`](RefusalRule::LargeAligned), the translation of the address
//! as for reading a byte, [`RmpCovered`](FaultRule::RmpCovered),
//! [`GuestOwned`](FaultRule::GuestOwned), [`ReverseMap`](FaultRule::ReverseMap),
//! [`Mutable`](FaultRule::Mutable), [`EntryFree`](FaultRule::EntryFree),
//! [`SmallInLarge`](FaultRule::SmallInLarge),
//! [`LargeInSmall`](RefusalRule::LargeInSmall).
//!
//! Of RCX and RDX only the lowest bit counts: Linux passes values of type `bool`,
//! above whose lowest byte compilers leave whatever was there, and processors
//! take them.
//!
//! Permissions are left as they are, whichever way the page goes, and no
//! translation is flushed.

use crate::execution::Execution;
use crate::reverse_map::completion::{Completion, Outcome};
use crate::reverse_map::entry::{Attributes, Switch};
use crate::reverse_map::instruction::{
    Registers, Stop, Translation, check_alignment, check_execution, linear_address, own_page,
    page_size,
};
use crate::reverse_map::map::ReverseMap;
use crate::reverse_map::rule::{FaultRule, RefusalRule};
use crate::reverse_map::statistics::{Ending, Event, Operation};
use abi_snp::PageSize;
use abi_snp::Vmpl;

impl ReverseMap {
    /// Executes PVALIDATE.
    ///
    /// `translate` turns the linear address into a guest physical one, as for
    /// reading a byte. It is called once, or not at all if the instruction ends
    /// before.
    ///
    /// # Errors
    ///
    /// Those of `translate`: the instruction did not happen.
    pub fn pvalidate<E>(
        &mut self,
        registers: &Registers,
        execution: &Execution,
        translate: impl FnOnce(u64) -> Result<Translation, E>,
    ) -> Result<Outcome, E> {
        let switch = if registers.rdx & 1 == 0 { Switch::Off } else { Switch::On };
        let size = page_size(registers);
        let outcome = match check(registers, execution) {
            Err(stop) => stop.early(),
            Ok(()) => {
                let translation = translate(linear_address(registers))?;
                self.set_validated(&translation, size, switch)
                    .map_or_else(|stop| stop.at(&translation), Outcome::Complete)
            }
        };
        let operation = match switch {
            Switch::On => Operation::Validate,
            Switch::Off => Operation::Rescind,
        };
        let ending = Ending::from(&outcome);
        let vmpl = Some(execution.vmpl);
        self.statistics.record(Event { operation, page_size: size, vmpl, ending });
        Ok(outcome)
    }

    fn set_validated(
        &mut self,
        translation: &Translation,
        size: PageSize,
        switch: Switch,
    ) -> Result<Completion, Stop> {
        let slot = own_page(&self.table, translation)?;
        check_size(slot.entry.page_size(), size)?;
        let entry = slot.entry.with(Attributes::VALIDATED, switch);
        self.table.set(slot, entry);
        Ok(Completion { unchanged: entry == slot.entry, ..Completion::SUCCESS })
    }
}

fn check(registers: &Registers, execution: &Execution) -> Result<(), Stop> {
    check_execution(execution)?;
    if execution.vmpl != Vmpl::Vmpl0 {
        return Err(FaultRule::Vmpl0.into());
    }
    Ok(check_alignment(registers, page_size(registers))?)
}

/// Whether the page has the size that was asked for.
fn check_size(found: PageSize, wanted: PageSize) -> Result<(), Stop> {
    match (found, wanted) {
        (PageSize::Size2M, PageSize::Size4K) => Err(FaultRule::SmallInLarge.into()),
        (PageSize::Size4K, PageSize::Size2M) => Err(RefusalRule::LargeInSmall.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
