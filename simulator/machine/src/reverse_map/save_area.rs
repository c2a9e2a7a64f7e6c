//! Entering and leaving a save area: the checks of VMRUN.
//!
//! [APM 24593 §15.36.12, table 15-41]. While a save area runs, the hypervisor
//! cannot change its entry. Reading and writing it needs nothing but the usual
//! permissions: that nobody below VMPL0 has any is for VMPL0 to see to.

use crate::gpa::Gpa;
use crate::reverse_map::entry::{Attributes, Switch};
use crate::reverse_map::map::ReverseMap;
use crate::reverse_map::ownership::private_page;
use crate::reverse_map::rule::FaultRule;

/// Why VMRUN does not enter a save area: it ends with `VMEXIT_INVALID`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum EntryRefusal {
    /// The page fails `RMP-Covered`, `Guest-Owned`, `Reverse-Map` or
    /// `Mutable`.
    #[error("the save area cannot be entered: {0}")]
    Page(#[from] FaultRule),
    /// `VMSA`: the page is none. Neither VMPL0 nor the launch has made it one.
    #[error("the page is not a save area: it lacks the VMSA attribute")]
    NotSaveArea,
    /// Another processor is running it. From memory: the manual says that the
    /// page is marked, not what VMRUN makes of the mark.
    #[error("the save area is running on another processor")]
    InUse,
}

impl ReverseMap {
    /// VMRUN enters the save area at `gpa`, which is in use from now on.
    ///
    /// Whether the page is validated, and which level may use it, is not
    /// looked at.
    ///
    /// # Errors
    ///
    /// The check that failed; nothing has changed then.
    pub fn enter_save_area(&mut self, gpa: Gpa) -> Result<(), EntryRefusal> {
        let slot = private_page(self.table.slot(gpa))?;
        if !slot.entry.is_save_area() {
            return Err(EntryRefusal::NotSaveArea);
        }
        if slot.entry.is_in_use() {
            return Err(EntryRefusal::InUse);
        }
        self.table.set(slot, slot.entry.with(Attributes::IN_USE, Switch::On));
        Ok(())
    }

    /// The processor left the save area at `gpa`, which is not in use any
    /// more. Nothing happens if it was not in use.
    pub fn leave_save_area(&mut self, gpa: Gpa) {
        if let Some(slot) = self.table.slot(gpa) {
            self.table.set(slot, slot.entry.with(Attributes::IN_USE, Switch::Off));
        }
    }
}

#[cfg(test)]
mod tests;
