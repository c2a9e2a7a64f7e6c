//! Processors forget translations.
//!
//! A processor keeps translations that it has used until it is told otherwise
//! [APM 24593 §5.5]. Nothing in the kernel's tables is global and there are no
//! process-context identifiers, so a write to CR3 makes it forget all of them.

use core::arch::asm;
use core::ops::Range;

use abi_boot::PAGE_SIZE;

use crate::sync::{Once, holds_locks};
use crate::translations::forget_translations;

/// Makes the other processors forget; nothing while there is one processor.
static ON_OTHER_PROCESSORS: Once<fn(Range<u64>)> = Once::new();

/// From this number of pages on, one write to CR3 costs less than an
/// instruction for each page.
const MOST_SINGLE_PAGES: u64 = 32;

/// Notes how to make all other processors forget the translations of a range of
/// virtual addresses. Called once, before a second processor runs.
///
/// `shootdown` returns when all of them have. It is called without any lock of
/// this module held.
///
/// # Panics
///
/// It was called before.
pub(crate) fn on_other_processors(shootdown: fn(Range<u64>)) {
    let first = ON_OTHER_PROCESSORS.set(shootdown).is_ok();
    assert!(first, "there is one way to reach the other processors");
}

/// Makes all processors forget the translations of `range`.
///
/// # Panics
///
/// With debug assertions, if the processor holds a lock: others that wait for it
/// serve no requests meanwhile, and so would be waited for in vain.
#[track_caller]
pub(super) fn flush(range: Range<u64>) {
    debug_assert!(!holds_locks(), "a mapping is taken away while no lock is held");
    flush_own(range.clone());
    if let Some(shootdown) = ON_OTHER_PROCESSORS.get() {
        shootdown(range);
    }
}

/// Makes this processor forget the translations of `range`.
pub(crate) fn flush_own(range: Range<u64>) {
    if range.end.saturating_sub(range.start) / PAGE_SIZE > MOST_SINGLE_PAGES {
        forget_translations();
        return;
    }
    range.step_by(PAGE_SIZE as usize).for_each(flush_own_page);
}

/// Makes this processor forget the translation of the page that `address` lies
/// in, however large it is.
#[inline]
pub(super) fn flush_own_page(address: u64) {
    // SAFETY: forgotten translations are looked up again.
    unsafe { asm!("invlpg [{}]", in(reg) address, options(nostack, preserves_flags)) };
}
