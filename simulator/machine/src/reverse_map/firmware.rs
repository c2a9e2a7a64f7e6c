//! What the security processor does with pages of the guest.
//!
//! It works on pages that the hypervisor has made immutable, and gives them
//! back mutable [SNP ABI 56860, page management]:
//!
//! | command | from | to |
//! |---|---|---|
//! | `SNP_LAUNCH_UPDATE` | [`PreGuest`](PageState::PreGuest) | [`GuestValid`](PageState::GuestValid) |
//! | `SNP_PAGE_RECLAIM` | [`PreGuest`](PageState::PreGuest) | [`GuestInvalid`](PageState::GuestInvalid) |
//! | | [`PreSwap`](PageState::PreSwap) | [`GuestValid`](PageState::GuestValid) |
//! | `SNP_PAGE_UNSMASH` | 512 of either | one of the same |
//!
//! What was learned from the firmware's published sources (AMD ASP firmware for
//! Genoa): the states, the checks and their order, and what each command writes
//! into the entry.

use abi_snp::{PageType, VmplPermissions};

use crate::gpa::Gpa;
use crate::reverse_map::entry::{Attributes, PageState, Switch};
use crate::reverse_map::map::ReverseMap;
use crate::reverse_map::statistics::{Ending, Event, Operation};
use abi_snp::PageSize;

/// Status of a command that the security processor refuses [SNP ABI 56860,
/// status codes].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum FirmwareRefusal {
    /// `INVALID_PARAM`: the page type is none, or the address of 2 MiB to join
    /// is not aligned.
    #[error("INVALID_PARAM: unknown page type or misaligned address")]
    InvalidParam,
    /// `INVALID_ADDRESS`: the page is not aligned to its size, or the reverse
    /// map does not cover it.
    #[error("INVALID_ADDRESS: not an aligned page that the reverse map covers")]
    InvalidAddress,
    /// `INVALID_PAGE_SIZE`: the page does not have the size that the command
    /// names, or must be of 4 KiB.
    #[error("INVALID_PAGE_SIZE: the page has another size than the command asks for")]
    InvalidPageSize,
    /// `INVALID_PAGE_STATE`: the page is not in a state from which the command
    /// leads on.
    #[error("INVALID_PAGE_STATE: the page is not in the state that the command asks for")]
    InvalidPageState,
}

impl ReverseMap {
    /// `SNP_LAUNCH_UPDATE` for one page: what the reverse map says afterwards.
    /// Content and launch digest are not its matter.
    ///
    /// The page is validated, has the permissions `lower` for the levels below
    /// VMPL0, and is a save area if the type is [`PageType::VMSA`].
    ///
    /// # Errors
    ///
    /// The page is not [`PageState::PreGuest`], not of `size`, not aligned, or
    /// of a type that does not exist or needs 4 KiB (save area, secrets,
    /// CPUID).
    pub fn launch_update(
        &mut self,
        gpa: Gpa,
        size: PageSize,
        page_type: PageType,
        lower: VmplPermissions,
    ) -> Result<(), FirmwareRefusal> {
        let result = self.launch(gpa, size, page_type, lower);
        self.record_command(Operation::LaunchUpdate, size, result);
        result
    }

    /// `SNP_PAGE_RECLAIM`: the page is mutable again. Success too, if it was
    /// not immutable.
    ///
    /// # Errors
    ///
    /// The page is not of `size`, not aligned or not covered.
    pub fn page_reclaim(&mut self, gpa: Gpa, size: PageSize) -> Result<(), FirmwareRefusal> {
        let result = self.reclaim(gpa, size);
        self.record_command(Operation::PageReclaim, size, result);
        result
    }

    /// `SNP_PAGE_UNSMASH`: joins the 512 pages from `gpa` on into one of 2 MiB,
    /// which stays immutable.
    ///
    /// # Errors
    ///
    /// `gpa` is not aligned or not all is covered; or the pages are not all of
    /// 4 KiB, immutable, mapped where they are assigned, no save areas, in the
    /// same state and with the same permissions.
    pub fn page_unsmash(&mut self, gpa: Gpa) -> Result<(), FirmwareRefusal> {
        let result = self.unsmash(gpa);
        self.record_command(Operation::PageUnsmash, PageSize::Size2M, result);
        result
    }

    fn launch(
        &mut self,
        gpa: Gpa,
        size: PageSize,
        page_type: PageType,
        lower: VmplPermissions,
    ) -> Result<(), FirmwareRefusal> {
        let slot = self.table.slot(gpa).ok_or(FirmwareRefusal::InvalidAddress)?;
        if slot.entry.state() != PageState::PreGuest {
            return Err(FirmwareRefusal::InvalidPageState);
        }
        if slot.entry.page_size() != size {
            return Err(FirmwareRefusal::InvalidPageSize);
        }
        if !gpa.is_aligned(size) {
            return Err(FirmwareRefusal::InvalidAddress);
        }
        let switch = match page_type {
            PageType::NORMAL | PageType::ZERO | PageType::UNMEASURED => Switch::Off,
            PageType::VMSA | PageType::SECRETS | PageType::CPUID => {
                if size != PageSize::Size4K {
                    return Err(FirmwareRefusal::InvalidPageSize);
                }
                if page_type == PageType::VMSA { Switch::On } else { Switch::Off }
            }
            _ => return Err(FirmwareRefusal::InvalidParam),
        };
        let entry = slot
            .entry
            .with(Attributes::VALIDATED, Switch::On)
            .with(Attributes::IMMUTABLE, Switch::Off)
            .with(Attributes::VMSA, switch)
            .with_lower_permissions(lower);
        self.table.set(slot, entry);
        Ok(())
    }

    fn reclaim(&mut self, gpa: Gpa, size: PageSize) -> Result<(), FirmwareRefusal> {
        let slot = self.table.slot(gpa).ok_or(FirmwareRefusal::InvalidAddress)?;
        if slot.entry.page_size() != size {
            return Err(FirmwareRefusal::InvalidPageSize);
        }
        if !gpa.is_aligned(size) {
            return Err(FirmwareRefusal::InvalidAddress);
        }
        self.table.set(slot, slot.entry.with(Attributes::IMMUTABLE, Switch::Off));
        Ok(())
    }

    fn unsmash(&mut self, gpa: Gpa) -> Result<(), FirmwareRefusal> {
        let large = PageSize::Size2M;
        if !gpa.is_aligned(large) {
            return Err(FirmwareRefusal::InvalidParam);
        }
        let indices = self.table.indices(gpa, large).ok_or(FirmwareRefusal::InvalidAddress)?;
        let entries = self.table.entries_mut(indices);
        let Some((head, tail)) = entries.split_first_mut() else {
            return Err(FirmwareRefusal::InvalidAddress);
        };
        let joinable = head.page_size() == PageSize::Size4K
            && head.is_immutable()
            && !head.is_save_area()
            && !head.is_remapped()
            && tail.iter().all(|entry| entry == head);
        if !joinable {
            return Err(FirmwareRefusal::InvalidPageState);
        }
        *head = head.with(Attributes::LARGE, Switch::On);
        Ok(())
    }

    fn record_command(
        &mut self,
        operation: Operation,
        size: PageSize,
        result: Result<(), FirmwareRefusal>,
    ) {
        let ending = if result.is_ok() { Ending::Done } else { Ending::FirmwareRefused };
        self.statistics.record(Event { operation, page_size: size, vmpl: None, ending });
    }
}

#[cfg(test)]
mod tests;
