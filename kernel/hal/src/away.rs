//! A processor is away: in the guest, or resting, for as long as the host likes.

use crate::processor::current;
use crate::sync::Masked;

/// Runs `meanwhile`, which can take any time, without being waited for: a
/// processor that takes a mapping away goes on at once, and this one forgets all
/// translations when it comes back. Interrupts that are handled meanwhile come
/// back for themselves.
///
/// # Safety
///
/// INV-AWAY-1: `meanwhile` uses nothing but what is mapped in the same way for
/// ever: the image, the own [`Processor`](crate::processor::Processor) with its pages, the stack that it runs
/// on.
#[inline]
pub(crate) unsafe fn away<R>(_masked: &Masked, meanwhile: impl FnOnce() -> R) -> R {
    let requests = &current().requests;
    requests.leave();
    let result = meanwhile();
    requests.come_back();
    result
}
