//! The walk itself.

use abi_x86::{Cr0, Cr4, EntryFlags, Level, PageFaultError, PageTableEntry, SIZE_4K};
use nested_paging::View;

use crate::access::{Access, Privilege};
use crate::error::WalkError;
use crate::format;
use crate::paging::{Kind, Paging};
use crate::translation::{Permissions, Translation};

/// The linear addresses of everything but long mode.
const LINEAR_32: u64 = 0xffff_ffff;

/// What a page of 4 MiB covers.
const SIZE_4M: u64 = 1 << 22;

/// Eight bytes of a table that a walk needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableRead {
    /// Guest physical address without the C-bit, a multiple of 8.
    pub address: u64,
    /// What the C-bit of the entry above says, or of CR3. An encrypted guest's
    /// processor reads tables as private whatever it says
    /// [APM 24593 §15.34.5].
    pub view: View,
}

/// A table or page, and how it is reached.
#[derive(Clone, Copy)]
struct Place {
    address: u64,
    view: View,
}

impl Paging {
    /// What the byte at linear address `linear` is to an access.
    ///
    /// `read` returns the eight bytes of a table as a little-endian number. An
    /// access that crosses pages is one for each of them. Outside long mode
    /// only the low 32 bits of `linear` count.
    ///
    /// # Errors
    ///
    /// The fault that the processor raises instead, or what `read` returned;
    /// see [`WalkError`].
    pub fn translate<E>(
        &self,
        linear: u64,
        access: Access,
        privilege: Privilege,
        read: impl FnMut(TableRead) -> Result<u64, E>,
    ) -> Result<Translation, WalkError<E>> {
        let walk = Walk { paging: self, access, privilege, read };
        match self.kind() {
            Kind::Off => Ok(Translation {
                address: linear & LINEAR_32,
                view: self.physical_addresses.view_without_c_bit(),
                page_size: LINEAR_32 + 1,
                permissions: Permissions::all(),
            }),
            Kind::TwoLevels => walk.two_levels(linear & LINEAR_32),
            Kind::Pae => {
                // The root is in the first 4 GiB, aligned to its 32 bytes.
                let address = self.cr3 & 0xffff_ffe0;
                let view = self.physical_addresses.view_without_c_bit();
                let root = Place { address, view };
                walk.entries_of_64_bits(linear & LINEAR_32, Level::PageDirectoryPointer, root)
            }
            Kind::Long(top) => {
                if !is_canonical(linear, top) {
                    return Err(WalkError::NonCanonical(linear));
                }
                let (address, view) = self.split_address(PageTableEntry::from_bits(self.cr3));
                walk.entries_of_64_bits(linear, top, Place { address, view })
            }
        }
    }

    /// The address that an entry, or CR3 in long mode, has in bits 51:12.
    const fn split_address(&self, entry: PageTableEntry) -> (u64, View) {
        self.physical_addresses.split(entry.address(0))
    }
}

/// Whether the bits of `linear` above those that `top` and the levels below
/// translate all equal the highest of these.
const fn is_canonical(linear: u64, top: Level) -> bool {
    let unused = 64 - (top.entry_size() * 512).ilog2();
    ((linear << unused) as i64 >> unused) as u64 == linear
}

/// One walk.
struct Walk<'a, R> {
    paging: &'a Paging,
    access: Access,
    privilege: Privilege,
    read: R,
}

impl<E, R: FnMut(TableRead) -> Result<u64, E>> Walk<'_, R> {
    /// Long mode and PAE.
    fn entries_of_64_bits(
        mut self,
        linear: u64,
        top: Level,
        root: Place,
    ) -> Result<Translation, WalkError<E>> {
        let kind = self.paging.kind();
        let mut table = root;
        let mut permissions = Permissions::all();
        let mut level = top;
        loop {
            let entry = self.read_entry(table, level.index(linear))?;
            if !entry.is_present() {
                return Err(self.fault(PageFaultError::empty()));
            }
            if entry.bits() & format::reserved_bits(self.paging, level, entry) != 0 {
                return Err(self.fault(PageFaultError::PRESENT | PageFaultError::RESERVED_BIT));
            }
            let has_permissions = (kind, level) != (Kind::Pae, Level::PageDirectoryPointer);
            if has_permissions {
                permissions &= Permissions::of_entry(entry.flags());
            }
            let (address, view) = self.paging.split_address(entry);
            let below = match level.below() {
                Some(below) if !format::is_page(kind, level, entry) => below,
                _ => {
                    let page = Place { address, view };
                    return self.arrive(linear, page, level.entry_size(), permissions);
                }
            };
            table = Place { address, view };
            level = below;
        }
    }

    /// Paging with entries of 32 bits, which have no room for the C-bit
    /// [APM 24593 §5.2.1].
    fn two_levels(mut self, linear: u64) -> Result<Translation, WalkError<E>> {
        let view = self.paging.physical_addresses.view_without_c_bit();
        let root = Place { address: self.paging.cr3 & 0xffff_f000, view };
        let directory_entry = self.read_half_entry(root, linear >> 22)?;
        let flags = EntryFlags::from_bits_truncate(directory_entry);
        let permissions = Permissions::of_entry(flags);
        if self.paging.cr4.contains(Paging::PSE) && flags.contains(EntryFlags::HUGE) {
            // Bits 20:13 are bits 39:32 of the address; bit 21 is reserved.
            let high = directory_entry >> 13 & 0xff;
            let address = high << 32 | directory_entry & 0xffc0_0000;
            let reserved = self.paging.physical_addresses.reserved_bits();
            if directory_entry & 1 << 21 != 0 || address & reserved != 0 {
                return Err(self.fault(PageFaultError::PRESENT | PageFaultError::RESERVED_BIT));
            }
            return self.arrive(linear, Place { address, view }, SIZE_4M, permissions);
        }
        let table = Place { address: directory_entry & 0xffff_f000, view };
        let entry = self.read_half_entry(table, linear >> 12 & 0x3ff)?;
        let permissions =
            permissions & Permissions::of_entry(EntryFlags::from_bits_truncate(entry));
        let page = Place { address: entry & 0xffff_f000, view };
        self.arrive(linear, page, SIZE_4K, permissions)
    }

    /// Reads the entry of 64 bits with this index, at most 511.
    fn read_entry(&mut self, table: Place, index: usize) -> Result<PageTableEntry, WalkError<E>> {
        self.read_bytes(table.address + index as u64 * 8, table.view).map(PageTableEntry::from_bits)
    }

    /// Reads the entry of 32 bits with this index, at most 1023, which is
    /// present.
    fn read_half_entry(&mut self, table: Place, index: u64) -> Result<u64, WalkError<E>> {
        let offset = index * 4;
        let bytes = self.read_bytes(table.address + (offset & !7), table.view)?;
        let entry = if offset & 4 == 0 { bytes & 0xffff_ffff } else { bytes >> 32 };
        if entry & EntryFlags::PRESENT.bits() == 0 {
            return Err(self.fault(PageFaultError::empty()));
        }
        Ok(entry)
    }

    fn read_bytes(&mut self, address: u64, view: View) -> Result<u64, WalkError<E>> {
        (self.read)(TableRead { address, view })
            .map_err(|error| WalkError::Unreadable { address, error })
    }

    /// The walk has found the page.
    fn arrive(
        &self,
        linear: u64,
        page: Place,
        page_size: u64,
        permissions: Permissions,
    ) -> Result<Translation, WalkError<E>> {
        if !self.is_allowed(permissions) {
            return Err(self.fault(PageFaultError::PRESENT));
        }
        // A large page's entry has another flag where small ones have address
        // bits.
        let offset_mask = page_size - 1;
        let address = page.address & !offset_mask | linear & offset_mask;
        Ok(Translation { address, view: page.view, page_size, permissions })
    }

    /// Whether a page with these permissions may be accessed
    /// [APM 24593 §5.6], [SDM 3A §4.6.1].
    fn is_allowed(&self, page: Permissions) -> bool {
        let Paging { cr0, cr4, .. } = *self.paging;
        let is_user_page = page.contains(Permissions::USER);
        if self.access == Access::Fetch && !page.contains(Permissions::EXECUTE) {
            return false;
        }
        let page_is_within_reach = match (self.privilege, self.access) {
            (Privilege::User, _) => is_user_page,
            (_, Access::Fetch) => !(is_user_page && cr4.contains(Cr4::SMEP)),
            (Privilege::SupervisorReachingUser, _) => true,
            (Privilege::Supervisor | Privilege::Implicit, _) => {
                !(is_user_page && cr4.contains(Cr4::SMAP))
            }
        };
        let heeds_read_only = self.privilege == Privilege::User || cr0.contains(Cr0::WP);
        let may_write = page.contains(Permissions::WRITE) || !heeds_read_only;
        page_is_within_reach && (self.access != Access::Write || may_write)
    }

    /// The page fault that the access raises, with this cause.
    ///
    /// That fetches are told from reads only with no-execute or SMEP:
    /// [SDM 3A §4.7].
    fn fault(&self, cause: PageFaultError) -> WalkError<E> {
        let mut error = cause;
        error.set(PageFaultError::WRITE, self.access == Access::Write);
        error.set(PageFaultError::USER, self.privilege == Privilege::User);
        let tells_fetches = self.paging.has_no_execute() || self.paging.cr4.contains(Cr4::SMEP);
        error.set(PageFaultError::INSTRUCTION, self.access == Access::Fetch && tells_fetches);
        WalkError::PageFault(error)
    }
}

#[cfg(test)]
mod tests;
