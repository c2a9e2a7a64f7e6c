//! The level that the guest runs at, and what it may do there.
//!
//! The host injects the guest's interrupts, as into a guest without a module: its
//! save areas ask for neither restricted nor alternate injection. So an event
//! whose delivery an exit has cut short (a nested page fault on the guest's stack,
//! for example) is the host's to begin again: the processor names it in
//! EXITINTINFO of the host's control block [APM 24593 §15.7.2], and the host puts
//! it into EVENTINJ there for the next run of the level [APM 24593 §15.20].
//! Whether the module's level runs in between makes no difference to that, and
//! the module changes neither EXITINTINFO nor EVENTINJ of the guest's save areas.
//! With alternate injection, EVENTINJ of the save area would count instead, which
//! only the module can write; it would have to begin the event again before it
//! has the level run, and to clear BUSY [COCONUT-SVSM, pull request 881].

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
