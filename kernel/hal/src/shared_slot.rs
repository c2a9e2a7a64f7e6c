//! Where a processor's pages are that it shares with the host.
//!
//! Places only: what is done with the pages is told in `snp/ghcb.rs` and
//! `snp/doorbell.rs`.

use core::sync::atomic::{AtomicPtr, AtomicU8, AtomicU16, AtomicU64, Ordering};

use abi_snp::ghcb::HvDoorbell;
use abi_x86::SIZE_4K;

/// A page that the host reads and writes at any time: words to be accessed one
/// by one, each value a copy that may differ at the next look.
#[repr(C, align(4096))]
pub(crate) struct SharedPage(pub(crate) [AtomicU64; SIZE_4K as usize / 8]);

impl SharedPage {
    /// A page of zeros.
    pub(crate) const fn zero() -> Self {
        Self([const { AtomicU64::new(0) }; SIZE_4K as usize / 8])
    }
}

/// The #HV doorbell page, of the same kind, with the fields that are exchanged as
/// a whole [`abi_snp::ghcb::HvDoorbell`].
#[repr(C, align(4096))]
pub(crate) struct DoorbellPage {
    /// What is pending: `PendingEvents`.
    pub(crate) events: AtomicU16,
    /// Whether the end of the interrupt need not be told: `NoEoiRequired`.
    pub(crate) no_eoi_required: AtomicU8,
}

const _: () = {
    use core::mem::offset_of;

    assert!(size_of::<SharedPage>() == SIZE_4K as usize);
    assert!(size_of::<DoorbellPage>() == size_of::<HvDoorbell>());
    assert!(offset_of!(DoorbellPage, events) == offset_of!(HvDoorbell, pending_events));
    assert!(offset_of!(DoorbellPage, no_eoi_required) == offset_of!(HvDoorbell, no_eoi_required));
};

/// The page of one processor, once it has one.
pub(crate) struct SharedSlot<T: 'static> {
    page: AtomicPtr<T>,
    gpa: AtomicU64,
}

impl<T> SharedSlot<T> {
    /// No page.
    pub(crate) const fn empty() -> Self {
        Self { page: AtomicPtr::new(core::ptr::null_mut()), gpa: AtomicU64::new(0) }
    }

    /// Names the page, which lies at guest physical address `gpa`.
    pub(crate) fn fill(&self, page: &'static T, gpa: u64) {
        self.gpa.store(gpa, Ordering::Relaxed);
        self.page.store((&raw const *page).cast_mut(), Ordering::Release);
    }

    /// The page and its guest physical address.
    pub(crate) fn get(&self) -> Option<(&'static T, u64)> {
        let page = self.page.load(Ordering::Acquire);
        // SAFETY: the pointer is null, or comes from the `&'static` that `fill`
        // took.
        let page = unsafe { page.as_ref() }?;
        Some((page, self.gpa.load(Ordering::Relaxed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_what_it_is_given() {
        static PAGE: SharedPage = SharedPage::zero();
        let slot = SharedSlot::empty();
        assert!(slot.get().is_none());
        slot.fill(&PAGE, 0x1234_5000);
        let (page, gpa) = slot.get().unwrap();
        assert_eq!(gpa, 0x1234_5000);
        assert!(core::ptr::eq(page, &PAGE));
    }
}
