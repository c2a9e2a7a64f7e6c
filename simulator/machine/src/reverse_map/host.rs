//! What the hypervisor does: RMPUPDATE, PSMASH, and its nested page tables.
//!
//! [APM 24593 §15.36.5 and §15.36.11], [APM 24594, RMPUPDATE, PSMASH].
//!
//! RMPUPDATE names a system physical page; here it is the one that backs the
//! guest physical address, so an update to the guest always assigns the page
//! where it is mapped. The attack that this leaves out, mapping a page
//! elsewhere than it is assigned, is [`ReverseMap::remap`].
//!
//! The conditions of RMPUPDATE and PSMASH are checked in the order in which the
//! methods name them; that order is from memory.

use crate::gpa::Gpa;
use crate::reverse_map::entry::{Attributes, Entry, Switch};
use crate::reverse_map::map::ReverseMap;
use crate::reverse_map::rule::RefusalRule;
use crate::reverse_map::statistics::{Ending, Event, Operation};
use crate::reverse_map::table::Slot;
use abi_snp::PageSize;
use abi_snp::ReturnCode;

/// Whose a page becomes [APM 24593 §15.36.5, table 15-35].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Assignment {
    /// The hypervisor's: `Assigned` 0. Shared with the guest, if that wants.
    Hypervisor,
    /// The guest's: `Assigned` 1, `Immutable` 0.
    Guest,
    /// The guest's, for the security processor to work on: `Assigned` 1,
    /// `Immutable` 1.
    Immutable,
}

impl ReverseMap {
    /// Executes RMPUPDATE for the page of `size` at `gpa`.
    ///
    /// A page that was not the guest's comes without validation, with all
    /// permissions for VMPL0 and none for the others; so does one that was
    /// remapped. One that was the guest's and stays it keeps all that: nothing
    /// but `Immutable` changes, or there would be no way from `Guest-Valid` to
    /// `Pre-Swap` [SNP ABI 56860, page states]. A page that is taken from the
    /// guest keeps nothing.
    ///
    /// Within 2 MiB, pages are either all of 4 KiB or one of 2 MiB. To change
    /// the size, the hypervisor takes all of them from the guest, or splits
    /// them with [`Self::psmash`]. What a processor does when RMPUPDATE names a
    /// smaller size for a page of 2 MiB at its head is not known here; it is
    /// refused as an overlap.
    ///
    /// # Errors
    ///
    /// The rule that is broken: [`HostTarget`](RefusalRule::HostTarget),
    /// [`HostMutable`](RefusalRule::HostMutable),
    /// [`HostNotInUse`](RefusalRule::HostNotInUse),
    /// [`HostOverlap`](RefusalRule::HostOverlap).
    pub fn rmpupdate(
        &mut self,
        gpa: Gpa,
        size: PageSize,
        assignment: Assignment,
    ) -> Result<(), RefusalRule> {
        let result = self.update(gpa, size, assignment);
        let operation = match assignment {
            Assignment::Hypervisor => Operation::MakeShared,
            Assignment::Guest => Operation::MakePrivate,
            Assignment::Immutable => Operation::MakeImmutable,
        };
        self.record(operation, size, result);
        result
    }

    /// Executes PSMASH: splits the page of 2 MiB at `gpa` into pages of 4 KiB
    /// that have everything else from it, validation and permissions too.
    ///
    /// # Errors
    ///
    /// The rule that is broken: [`HostTarget`](RefusalRule::HostTarget),
    /// [`HostNotInUse`](RefusalRule::HostNotInUse),
    /// [`Smashable`](RefusalRule::Smashable).
    pub fn psmash(&mut self, gpa: Gpa) -> Result<(), RefusalRule> {
        let result = self.smash(gpa);
        self.record(Operation::Psmash, PageSize::Size2M, result);
        result
    }

    /// The hypervisor maps the page that holds `gpa` to memory that is the
    /// guest's at another address: two guest pages swapped, or one mapped
    /// twice.
    ///
    /// It lasts until RMPUPDATE assigns the page anew or
    /// [`Self::map_back`] undoes it. Not an instruction, and not counted.
    ///
    /// # Errors
    ///
    /// [`HostTarget`](RefusalRule::HostTarget) if no page is covered there.
    pub fn remap(&mut self, gpa: Gpa) -> Result<(), RefusalRule> {
        self.set_remapped(gpa, Switch::On)
    }

    /// The hypervisor maps the page that holds `gpa` to its own memory again;
    /// everything is as before.
    ///
    /// # Errors
    ///
    /// [`HostTarget`](RefusalRule::HostTarget) if no page is covered there.
    pub fn map_back(&mut self, gpa: Gpa) -> Result<(), RefusalRule> {
        self.set_remapped(gpa, Switch::Off)
    }

    fn update(
        &mut self,
        gpa: Gpa,
        size: PageSize,
        assignment: Assignment,
    ) -> Result<(), RefusalRule> {
        let indices = self.table.indices(gpa, size).ok_or(RefusalRule::HostTarget)?;
        let slot = self.table.slot(gpa).ok_or(RefusalRule::HostTarget)?;
        if slot.entry.is_immutable() {
            return Err(RefusalRule::HostMutable);
        }
        if slot.entry.is_in_use() {
            return Err(RefusalRule::HostNotInUse);
        }
        let same_size = slot.entry.page_size() == size;
        let entries = self.table.entries_mut(indices);
        if slot.entry.page_size() > size
            || !same_size && entries.iter().any(|entry| entry.is_assigned())
        {
            return Err(RefusalRule::HostOverlap);
        }
        let kept = slot.entry.is_assigned() && same_size && !slot.entry.is_remapped();
        let guest = if kept { slot.entry } else { Entry::assigned(size) };
        match assignment {
            Assignment::Hypervisor => entries.fill(Entry::HYPERVISOR),
            Assignment::Guest => {
                self.table.set(slot, guest.with(Attributes::IMMUTABLE, Switch::Off));
            }
            Assignment::Immutable => {
                self.table.set(slot, guest.with(Attributes::IMMUTABLE, Switch::On));
            }
        }
        Ok(())
    }

    fn smash(&mut self, gpa: Gpa) -> Result<(), RefusalRule> {
        let large = PageSize::Size2M;
        let indices = self.table.indices(gpa, large).ok_or(RefusalRule::HostTarget)?;
        let Slot { entry, .. } = self.table.slot(gpa).ok_or(RefusalRule::HostTarget)?;
        if entry.is_in_use() {
            return Err(RefusalRule::HostNotInUse);
        }
        if entry.page_size() != large || entry.is_immutable() {
            return Err(RefusalRule::Smashable);
        }
        self.table.entries_mut(indices).fill(entry.with(Attributes::LARGE, Switch::Off));
        Ok(())
    }

    fn set_remapped(&mut self, gpa: Gpa, switch: Switch) -> Result<(), RefusalRule> {
        let slot = self.table.slot(gpa).ok_or(RefusalRule::HostTarget)?;
        self.table.set(slot, slot.entry.with(Attributes::REMAPPED, switch));
        Ok(())
    }

    fn record(&mut self, operation: Operation, size: PageSize, result: Result<(), RefusalRule>) {
        let code = result.map_or_else(RefusalRule::return_code, |()| ReturnCode::Success);
        let ending = Ending::from(code);
        self.statistics.record(Event { operation, page_size: size, vmpl: None, ending });
    }
}

#[cfg(test)]
mod tests;
