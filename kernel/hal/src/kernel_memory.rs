//! Words of the kernel's half of the address space, to be shown.

use abi_boot::VIRTUAL_BASE;
use backtrace::StackWords;

use crate::recoverable::{ForeignBytes, Guarded};

/// The kernel's half of the address space, whatever lies there.
pub(crate) struct KernelMemory;

impl StackWords for KernelMemory {
    fn word(&self, address: u64) -> Option<u64> {
        let is_word_of_kernel = address >= VIRTUAL_BASE && address.is_multiple_of(8);
        if !is_word_of_kernel || address.checked_add(8).is_none() {
            return None;
        }
        // SAFETY: INV-FOREIGN-1: the word is only read, by one instruction, to be
        // shown; a fault is recovered from.
        let bytes = unsafe { ForeignBytes::new(address, 8, Guarded::No) };
        bytes.load(0).ok()
    }
}
