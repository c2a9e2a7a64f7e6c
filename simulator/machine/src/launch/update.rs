//! `SNP_LAUNCH_UPDATE`: the command for each page [SNP ABI 56860 §8.17].

use abi_snp::{PageInfoFlags, PageSize, VmplPermissions};

use crate::gpa::Gpa;
use crate::guest_memory::GuestMemory;
use crate::launch::content::Prepared;
use crate::launch::page::{LaunchPage, Zeros};
use crate::launch::refusal::UpdateRefusal;
use crate::launch::start::Launch;
use crate::reverse_map::{Assignment, Encryption, FirmwareRefusal, PageState, ReverseMap};

const SIZE: PageSize = PageSize::Size4K;

impl Launch<'_> {
    /// Launches `page`: the hypervisor makes it immutable by RMPUPDATE, the
    /// security processor writes it to the guest's private `memory`, measures
    /// it, and makes it a validated page of the guest.
    ///
    /// # Errors
    ///
    /// See [`UpdateRefusal`]; a page that was launched before is refused with
    /// [`FirmwareRefusal::InvalidPageState`]. Nothing was measured, and the
    /// hypervisor has the page back: mutable, and otherwise as before.
    pub fn update<M: GuestMemory + ?Sized>(
        &mut self,
        reverse_map: &mut ReverseMap,
        memory: &mut M,
        page: LaunchPage<'_>,
    ) -> Result<(), UpdateRefusal> {
        let gpa = page.gpa;
        reverse_map.rmpupdate(gpa, SIZE, Assignment::Immutable).map_err(UpdateRefusal::HandOver)?;
        let result = self.take_over(reverse_map, memory, page);
        if result.is_err() {
            reverse_map.page_reclaim(gpa, SIZE)?;
        }
        result
    }

    /// Launches 2 MiB of zeros at `gpa` as one page, as [`Self::update`] does
    /// with 4 KiB. The digest is that of 512 pages [SNP ABI 56860 §8.17].
    ///
    /// # Errors
    ///
    /// As [`Self::update`].
    pub fn update_large_zeros<M: GuestMemory + ?Sized>(
        &mut self,
        reverse_map: &mut ReverseMap,
        memory: &mut M,
        gpa: Gpa,
        zeros: Zeros,
        permissions: VmplPermissions,
    ) -> Result<(), UpdateRefusal> {
        const LARGE: PageSize = PageSize::Size2M;
        reverse_map
            .rmpupdate(gpa, LARGE, Assignment::Immutable)
            .map_err(UpdateRefusal::HandOver)?;
        let measured = zeros.measured();
        let pages = || (0..u64::from(LARGE.small_pages())).map(|n| Gpa(gpa.0 + n * SIZE.bytes()));
        let result = check_handed_over(reverse_map, gpa).and_then(|()| {
            pages().try_for_each(|page| memory.clear_page(page, Encryption::Private))?;
            Ok(reverse_map.launch_update(gpa, LARGE, measured.page_type(), permissions)?)
        });
        if let Err(refusal) = result {
            reverse_map.page_reclaim(gpa, LARGE)?;
            return Err(refusal);
        }
        for page in pages() {
            self.digest.add_page(page.0, measured, permissions, PageInfoFlags::empty());
        }
        Ok(())
    }

    /// The command itself.
    fn take_over<M: GuestMemory + ?Sized>(
        &mut self,
        reverse_map: &mut ReverseMap,
        memory: &mut M,
        page: LaunchPage<'_>,
    ) -> Result<(), UpdateRefusal> {
        let LaunchPage { gpa, content, permissions } = page;
        check_handed_over(reverse_map, gpa)?;
        let prepared = Prepared::new(self, content)?;
        memory.write(gpa, Encryption::Private, &prepared.written[..])?;
        reverse_map.launch_update(gpa, SIZE, prepared.measured().page_type(), permissions)?;
        self.digest.add_page(gpa.0, prepared.measured(), permissions, PageInfoFlags::empty());
        Ok(())
    }
}

/// To be checked before anything is written: a page that is the guest's already
/// must not change.
fn check_handed_over(reverse_map: &ReverseMap, gpa: Gpa) -> Result<(), UpdateRefusal> {
    if reverse_map.entry(gpa).is_none_or(|entry| entry.state() != PageState::PreGuest) {
        return Err(FirmwareRefusal::InvalidPageState.into());
    }
    Ok(())
}
