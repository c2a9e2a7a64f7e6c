//! RMPADJUST: a level decides what those below it may do with a page.
//!
//! [APM 24593 §15.36.7], [APM 24594, RMPADJUST].
//!
//! | register | in | out |
//! |---|---|---|
//! | RAX | linear address | return code |
//! | RCX | bit 0: page size | |
//! | RDX | 7:0 target level, 15:8 permissions, 16 save area | |
//!
//! Checked in this order: [`SnpActive`](FaultRule::SnpActive),
//! [`Cpl0`](FaultRule::Cpl0), [`ReservedBits`](RefusalRule::ReservedBits),
//! [`LargeAligned`](RefusalRule::LargeAligned),
//! [`TargetExists`](RefusalRule::TargetExists),
//! [`TargetBelow`](RefusalRule::TargetBelow), the translation of the address as
//! for reading a byte, [`RmpCovered`](FaultRule::RmpCovered),
//! [`GuestOwned`](FaultRule::GuestOwned), [`ReverseMap`](FaultRule::ReverseMap),
//! [`Mutable`](FaultRule::Mutable), [`EntryFree`](FaultRule::EntryFree),
//! [`SmallInLarge`](FaultRule::SmallInLarge), [`Validated`](FaultRule::Validated),
//! [`LargeInSmall`](RefusalRule::LargeInSmall),
//! [`WithinOwn`](RefusalRule::WithinOwn).
//!
//! That [`TargetBelow`](RefusalRule::TargetBelow) comes before the translation
//! is what Linux and OVMF rely on when they use RMPADJUST to find out whether
//! they run at VMPL0. The order of the last three is that of VeriSMo's model;
//! from the manual it is not known here.
//!
//! The bit for the save area is VMPL0's: it sets the page's, on or off, each
//! time VMPL0 adjusts any level, and is not looked at otherwise. No translation
//! is flushed: a level that loses a permission keeps it wherever a processor
//! has the translation cached.

use abi_snp::PagePermissions;

use crate::execution::Execution;
use crate::reverse_map::completion::{Completion, Outcome};
use crate::reverse_map::entry::{Attributes, FULL_PERMISSIONS, Switch};
use crate::reverse_map::instruction::{
    Registers, Stop, Translation, check_alignment, check_execution, linear_address, own_page,
    page_size,
};
use crate::reverse_map::map::ReverseMap;
use crate::reverse_map::rule::{FaultRule, RefusalRule};
use crate::reverse_map::statistics::{Ending, Event, Operation};
use abi_snp::PageSize;
use abi_snp::Vmpl;

/// RDX, bit 16: the page becomes a save area.
const SAVE_AREA: u64 = 1 << 16;

/// What to change.
#[derive(Clone, Copy, Debug)]
struct Adjustment {
    target: Vmpl,
    permissions: PagePermissions,
    save_area: Switch,
}

impl ReverseMap {
    /// Executes RMPADJUST.
    ///
    /// `translate` turns the linear address into a guest physical one, as for
    /// reading a byte. It is called once, or not at all if the instruction ends
    /// before.
    ///
    /// # Errors
    ///
    /// Those of `translate`: the instruction did not happen.
    pub fn rmpadjust<E>(
        &mut self,
        registers: &Registers,
        execution: &Execution,
        translate: impl FnOnce(u64) -> Result<Translation, E>,
    ) -> Result<Outcome, E> {
        let size = page_size(registers);
        let outcome = match check(registers, execution) {
            Err(stop) => stop.early(),
            Ok(adjustment) => {
                let translation = translate(linear_address(registers))?;
                self.adjust(&translation, size, execution.vmpl, adjustment)
                    .map_or_else(|stop| stop.at(&translation), Outcome::Complete)
            }
        };
        let ending = Ending::from(&outcome);
        let (operation, vmpl) = (Operation::Rmpadjust, Some(execution.vmpl));
        self.statistics.record(Event { operation, page_size: size, vmpl, ending });
        Ok(outcome)
    }

    fn adjust(
        &mut self,
        translation: &Translation,
        size: PageSize,
        own: Vmpl,
        adjustment: Adjustment,
    ) -> Result<Completion, Stop> {
        let slot = own_page(&self.table, translation)?;
        if slot.entry.page_size() > size {
            return Err(FaultRule::SmallInLarge.into());
        }
        if !slot.entry.is_validated() {
            return Err(FaultRule::Validated.into());
        }
        if slot.entry.page_size() < size {
            return Err(RefusalRule::LargeInSmall.into());
        }
        if !slot.entry.permissions(own).contains(adjustment.permissions) {
            return Err(RefusalRule::WithinOwn.into());
        }
        let mut entry = slot.entry.with_permissions(adjustment.target, adjustment.permissions);
        if own == Vmpl::Vmpl0 {
            entry = entry.with(Attributes::VMSA, adjustment.save_area);
        }
        self.table.set(slot, entry);
        Ok(Completion::SUCCESS)
    }
}

fn check(registers: &Registers, execution: &Execution) -> Result<Adjustment, Stop> {
    check_execution(execution)?;
    let [target, permissions, ..] = registers.rdx.to_le_bytes();
    let permissions = PagePermissions::from_bits_retain(permissions);
    // Of the page size, a `bool` in Linux, only the lowest bit counts, as for
    // PVALIDATE.
    let reserved =
        registers.rdx & !(SAVE_AREA | 0xffff) != 0 || !FULL_PERMISSIONS.contains(permissions);
    if reserved {
        return Err(RefusalRule::ReservedBits.into());
    }
    check_alignment(registers, page_size(registers))?;
    let target = Vmpl::from_number(target).ok_or(RefusalRule::TargetExists)?;
    if !execution.vmpl.is_above(target) {
        return Err(RefusalRule::TargetBelow.into());
    }
    let save_area = if registers.rdx & SAVE_AREA == 0 { Switch::Off } else { Switch::On };
    Ok(Adjustment { target, permissions, save_area })
}

#[cfg(test)]
mod tests;
