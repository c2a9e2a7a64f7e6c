//! The checks that every private use of a page begins with.

use crate::reverse_map::rule::FaultRule;
use crate::reverse_map::table::Slot;

/// Whether the guest may use the page at all, privately: `RMP-Covered`,
/// `Guest-Owned`, `Reverse-Map`, `Mutable` [APM 24593 §15.36.10, table 15-39].
///
/// A page that the hypervisor has remapped lies in memory that is the guest's,
/// but at another address.
pub(crate) fn private_page(slot: Option<Slot>) -> Result<Slot, FaultRule> {
    let slot = slot.ok_or(FaultRule::RmpCovered)?;
    if slot.entry.is_remapped() {
        return Err(FaultRule::ReverseMap);
    }
    if !slot.entry.is_assigned() {
        return Err(FaultRule::GuestOwned);
    }
    if slot.entry.is_immutable() {
        return Err(FaultRule::Mutable);
    }
    Ok(slot)
}
