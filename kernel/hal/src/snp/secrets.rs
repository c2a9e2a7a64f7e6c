//! The secrets page: what the security processor gives a guest at its launch.

use core::sync::atomic::{AtomicBool, Ordering};

use abi_boot::{BootBlock, PartKind};
use abi_snp::SecretsPage;

use crate::image::boot_block;

/// Whether somebody has the page.
static IS_TAKEN: AtomicBool = AtomicBool::new(false);

/// The page, to the first who asks.
pub(crate) fn take() -> Option<&'static mut SecretsPage> {
    let place = place(&boot_block())?;
    if IS_TAKEN.swap(true, Ordering::Relaxed) {
        return None;
    }
    // SAFETY: INV-SECRETS-1: the part is mapped for writing, and a page of which
    // any bytes are a secrets page; this happens once, and later than the one
    // look of the start.
    Some(unsafe { &mut *place })
}

/// By how many hundred-thousandths the time stamp counter is slower than
/// nominal, with Secure TSC.
///
/// For the start, before anybody takes the page.
pub(super) fn time_stamp_factor(block: &BootBlock<'static>) -> u32 {
    let Some(place) = place(block) else { return 0 };
    // SAFETY: INV-SECRETS-1: the part is mapped, and a page of which any bytes
    // are a secrets page. Nobody has taken it yet.
    unsafe { (&raw const (*place).tsc_factor).read() }
}

/// Where the page is, if the builder has placed one.
fn place(block: &BootBlock<'static>) -> Option<*mut SecretsPage> {
    let part = block.parts_of(PartKind::SECRETS).next()?;
    let address = usize::try_from(block.virtual_address(part.gpa)?).ok()?;
    Some(core::ptr::with_exposed_provenance_mut(address))
}
