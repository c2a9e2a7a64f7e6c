//! One entry of the reverse map, in four bytes.
//!
//! What the processor keeps for a page [APM 24593 §15.36.3, table 15-34],
//! without the two fields that the model does not need: the owner's ASID,
//! because there is one guest, and the guest physical address, because the
//! table is indexed by it.

use abi_snp::{PagePermissions, VmplPermissions};

use abi_snp::PageSize;
use abi_snp::Vmpl;

/// Every permission there is: what VMPL0 has on every page of the guest.
///
/// That it includes [`PagePermissions::SUPERVISOR_SHADOW_STACK`] is from
/// memory: the manual says "full permissions", and VMPL0 could not have shadow
/// stacks otherwise, since no instruction changes its permissions.
pub const FULL_PERMISSIONS: PagePermissions = PagePermissions::all();

bitflags::bitflags! {
    /// What is true of a page, but for the permissions.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) struct Attributes: u8 {
        /// The guest's, not the hypervisor's.
        const ASSIGNED = 1 << 0;
        /// Head of a 2 MiB page: the entries behind it do not count.
        const LARGE = 1 << 1;
        /// Only the security processor may change the entry.
        const IMMUTABLE = 1 << 2;
        /// A save area that may be entered.
        const VMSA = 1 << 3;
        /// The guest has accepted the page.
        const VALIDATED = 1 << 4;
        /// A save area that a processor is running at this moment.
        const IN_USE = 1 << 5;
        /// The nested page table leads to a system page whose entry names
        /// another guest physical address.
        const REMAPPED = 1 << 6;
    }
}

/// Who owns a page, and how far it is on its way into the guest.
///
/// The states of the specification that a page of the guest can have
/// [SNP ABI 56860, page states]. Those of pages that belong to the security
/// processor itself (firmware, metadata, context, reclaim) do not occur.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PageState {
    /// The hypervisor's: shared with the guest, if the guest wants.
    Hypervisor,
    /// The guest's, but not accepted by it.
    GuestInvalid,
    /// The guest's and accepted.
    GuestValid,
    /// Handed to the security processor, to be launched or joined.
    PreGuest,
    /// Handed to the security processor after the guest had accepted it.
    PreSwap,
}

/// One entry. The permissions of VMPL0 are not kept: they are always
/// [`FULL_PERMISSIONS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    attributes: Attributes,
    lower: VmplPermissions,
}

const _: () = assert!(size_of::<Entry>() == 4, "the table has one entry for each 4 KiB of memory");

impl Entry {
    /// A page of the hypervisor: what the table is full of at the beginning.
    pub const HYPERVISOR: Self =
        Self { attributes: Attributes::empty(), lower: VmplPermissions::NONE };

    /// A page that was just assigned to the guest: not validated, everything
    /// for VMPL0 and nothing for the levels below [APM 24593 §15.36.7].
    #[must_use]
    pub(crate) const fn assigned(size: PageSize) -> Self {
        let attributes = match size {
            PageSize::Size4K => Attributes::ASSIGNED,
            PageSize::Size2M => Attributes::ASSIGNED.union(Attributes::LARGE),
        };
        Self { attributes, lower: VmplPermissions::NONE }
    }

    /// The entry with `attributes` switched on or off.
    #[must_use]
    pub(crate) const fn with(self, attributes: Attributes, state: Switch) -> Self {
        let attributes = match state {
            Switch::On => self.attributes.union(attributes),
            Switch::Off => self.attributes.difference(attributes),
        };
        Self { attributes, ..self }
    }

    /// The entry with what the levels below VMPL0 may do.
    #[must_use]
    pub(crate) const fn with_lower_permissions(self, lower: VmplPermissions) -> Self {
        Self { lower, ..self }
    }

    /// The entry with what `vmpl` may do; nothing changes for VMPL0.
    #[must_use]
    pub(crate) const fn with_permissions(self, vmpl: Vmpl, permissions: PagePermissions) -> Self {
        let mut lower = self.lower;
        match vmpl {
            Vmpl::Vmpl0 => {}
            Vmpl::Vmpl1 => lower.vmpl1 = permissions,
            Vmpl::Vmpl2 => lower.vmpl2 = permissions,
            Vmpl::Vmpl3 => lower.vmpl3 = permissions,
        }
        self.with_lower_permissions(lower)
    }

    /// Whether all of `attributes` hold.
    #[must_use]
    pub(crate) const fn has(self, attributes: Attributes) -> bool {
        self.attributes.contains(attributes)
    }

    /// Size of the page that the entry describes.
    #[must_use]
    pub const fn page_size(self) -> PageSize {
        if self.has(Attributes::LARGE) { PageSize::Size2M } else { PageSize::Size4K }
    }

    /// Whether the guest owns the page.
    #[must_use]
    pub const fn is_assigned(self) -> bool {
        self.has(Attributes::ASSIGNED)
    }

    /// Whether the guest has accepted the page.
    #[must_use]
    pub const fn is_validated(self) -> bool {
        self.has(Attributes::VALIDATED)
    }

    /// Whether only the security processor may change the entry.
    #[must_use]
    pub const fn is_immutable(self) -> bool {
        self.has(Attributes::IMMUTABLE)
    }

    /// Whether the page may be entered as a save area.
    #[must_use]
    pub const fn is_save_area(self) -> bool {
        self.has(Attributes::VMSA)
    }

    /// Whether a processor is running the page as its save area.
    #[must_use]
    pub const fn is_in_use(self) -> bool {
        self.has(Attributes::IN_USE)
    }

    /// Whether the page lies elsewhere than the entry of its memory says.
    #[must_use]
    pub const fn is_remapped(self) -> bool {
        self.has(Attributes::REMAPPED)
    }

    /// What `vmpl` may do with the page.
    #[must_use]
    pub const fn permissions(self, vmpl: Vmpl) -> PagePermissions {
        match vmpl {
            Vmpl::Vmpl0 => FULL_PERMISSIONS,
            Vmpl::Vmpl1 => self.lower.vmpl1,
            Vmpl::Vmpl2 => self.lower.vmpl2,
            Vmpl::Vmpl3 => self.lower.vmpl3,
        }
    }

    /// The state that assigned, validated and immutable add up to.
    #[must_use]
    pub const fn state(self) -> PageState {
        match (self.is_assigned(), self.is_immutable(), self.is_validated()) {
            (false, ..) => PageState::Hypervisor,
            (true, false, false) => PageState::GuestInvalid,
            (true, false, true) => PageState::GuestValid,
            (true, true, false) => PageState::PreGuest,
            (true, true, true) => PageState::PreSwap,
        }
    }
}

/// Which way [`Entry::with`] moves attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Switch {
    On,
    Off,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_permissions_are_the_five_bits() {
        assert_eq!(FULL_PERMISSIONS.bits(), 0x1f);
    }

    #[test]
    fn assigned_pages_belong_to_vmpl0_alone() {
        for size in PageSize::ALL {
            let entry = Entry::assigned(size);
            assert_eq!(entry.state(), PageState::GuestInvalid);
            assert_eq!(entry.page_size(), size);
            assert_eq!(entry.permissions(Vmpl::Vmpl0), FULL_PERMISSIONS);
            for vmpl in [Vmpl::Vmpl1, Vmpl::Vmpl2, Vmpl::Vmpl3] {
                assert_eq!(entry.permissions(vmpl), PagePermissions::empty(), "{vmpl}");
            }
            assert!(!entry.is_save_area() && !entry.is_in_use() && !entry.is_remapped());
        }
    }

    #[test]
    fn permissions_are_kept_for_each_level() {
        let entry = Entry::assigned(PageSize::Size4K)
            .with_permissions(Vmpl::Vmpl1, PagePermissions::READ)
            .with_permissions(Vmpl::Vmpl2, PagePermissions::SUPERVISOR_SHADOW_STACK)
            .with_permissions(Vmpl::Vmpl3, PagePermissions::WRITE)
            .with_permissions(Vmpl::Vmpl0, PagePermissions::empty());
        let expected = [
            FULL_PERMISSIONS,
            PagePermissions::READ,
            PagePermissions::SUPERVISOR_SHADOW_STACK,
            PagePermissions::WRITE,
        ];
        assert_eq!(Vmpl::ALL.map(|vmpl| entry.permissions(vmpl)), expected);
    }

    #[test]
    fn states_follow_from_three_attributes() {
        let page = Entry::assigned(PageSize::Size4K);
        let validated = page.with(Attributes::VALIDATED, Switch::On);
        assert_eq!(Entry::HYPERVISOR.state(), PageState::Hypervisor);
        assert_eq!(validated.state(), PageState::GuestValid);
        assert_eq!(page.with(Attributes::IMMUTABLE, Switch::On).state(), PageState::PreGuest);
        assert_eq!(validated.with(Attributes::IMMUTABLE, Switch::On).state(), PageState::PreSwap);
        assert_eq!(validated.with(Attributes::VALIDATED, Switch::Off), page);
    }
}
