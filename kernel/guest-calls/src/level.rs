//! The level that the guest runs at.

use abi_snp::Vmpl;
use page_state::{GuestLevel, Owner, PageState};

/// The level of all virtual processors of the guest.
pub const GUEST_LEVEL: Vmpl = Vmpl::Vmpl2;

/// Pages that the guest uses.
pub(crate) const GUESTS: PageState = PageState::Validated(Owner::Guest(GuestLevel::Two));

/// Pages that only the module uses.
pub(crate) const MODULES: PageState = PageState::Validated(Owner::Module);
