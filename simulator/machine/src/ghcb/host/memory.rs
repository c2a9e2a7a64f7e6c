//! Whose the guest's pages are.

use abi_snp::PageSize;
use abi_snp::ghcb::{GuestFrame, PageOperation};

/// The platform does not change the page's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("the state of the {size} page at {frame} cannot be changed")]
pub struct PageStateRefused {
    /// The page.
    pub frame: GuestFrame,
    /// Its size.
    pub size: PageSize,
}

/// States of the guest's pages.
pub trait PageStates {
    /// Whether the 4 KiB page is memory of the guest, and shared: the
    /// hypervisor touches no others.
    fn is_shared(&self, frame: GuestFrame) -> bool;

    /// Changes the page's state, which can be what it is already. A page of
    /// 2 MiB starts at a multiple of its size.
    ///
    /// # Errors
    ///
    /// The page is not memory of the guest, is in use, or cannot change for
    /// reasons of the reverse map.
    fn change_page_state(
        &mut self,
        frame: GuestFrame,
        size: PageSize,
        operation: PageOperation,
    ) -> Result<(), PageStateRefused>;
}
