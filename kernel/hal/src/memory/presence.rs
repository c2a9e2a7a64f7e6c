//! Whether the module still has all memory of its region.
//!
//! A host can take memory away at any time, and the module misses it only when it
//! looks. The same memory could be put at an address of the guest's before that is
//! accepted, and since all levels of a VM have one key, the guest would read there
//! what the module has left. So the module looks at each page of its region once
//! the guest's memory is accepted: memory is at one address at a time, so what is
//! at its own is not at the guest's [APM 24593 §15.36.3]. What is put at the
//! guest's later has to be accepted anew, by a call that clears it.

use abi_x86::SIZE_4K;
use backtrace::StackWords;
use page_tables::Encryption;

use super::kernel_space;
use super::region::{region, virtual_address};
use crate::kernel_memory::KernelMemory;

/// Looks at each private page that the module has in its region. Whether all are
/// there: where one is not, the host may also never let the look end.
pub(crate) fn is_whole() -> bool {
    let pages = region().step_by(SIZE_4K as usize).map(virtual_address);
    let mut private =
        pages.filter(|page| kernel_space::encryption_at(*page) == Some(Encryption::Private));
    private.all(|page| KernelMemory.word(page).is_some())
}
