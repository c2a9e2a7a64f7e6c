//! The level that the guest runs at, and what it may do there.

use abi_snp::{PagePermissions, Vmpl};
use page_state::{GuestLevel, Owner, PageState};

/// VMPL2: it leaves VMPL1 to what a guest may want to protect from its own
/// kernel one day.
pub(crate) const GUEST: Vmpl = Vmpl::Vmpl2;

/// A page of the guest's, as the account of pages has it.
pub(crate) const GUEST_PAGE: PageState = PageState::Validated(Owner::Guest(GuestLevel::Two));

/// What the guest may do with its pages.
pub(crate) const GUEST_PERMISSIONS: PagePermissions = PagePermissions::READ
    .union(PagePermissions::WRITE)
    .union(PagePermissions::EXECUTE_USER)
    .union(PagePermissions::EXECUTE_SUPERVISOR);
