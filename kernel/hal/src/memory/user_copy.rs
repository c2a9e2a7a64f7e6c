//! Copies to and from the memory of the user process that runs.
//!
//! User memory is the lower half of the address space. What a process names is
//! checked to lie there; whether something is mapped shows when it is accessed.

use core::ptr;
use core::sync::atomic::{AtomicBool, Ordering};

use crate::recoverable::{Fault, copy, copy_user};

/// First address behind what a process can have: the lower half but its last
/// page, so that no access reaches beyond.
pub const USER_END: u64 = (1 << 47) - 4096;

/// Whether the processors keep the kernel from user pages (CR4.SMAP).
static SMAP: AtomicBool = AtomicBool::new(false);

/// Notes that the processors keep the kernel from user pages, but where the flag
/// AC is set. For the start, before there are user pages.
pub(crate) fn note_smap() {
    SMAP.store(true, Ordering::Relaxed);
}

/// Copies what the running process has at `address` to `to`.
///
/// # Errors
///
/// [`Fault`] if not all of it is the process's to read; what `to` holds is then
/// unspecified.
pub fn copy_from_user(to: &mut [u8], address: u64) -> Result<(), Fault> {
    let from = check(address, to.len())?;
    // SAFETY: INV-FOREIGN-1: the lower half holds no memory that Rust uses;
    // `to` is Rust's to write.
    unsafe {
        if SMAP.load(Ordering::Relaxed) {
            copy_user(to.as_mut_ptr(), from, to.len())
        } else {
            copy(to.as_mut_ptr(), from, to.len())
        }
    }
}

/// Copies `from` to what the running process has at `address`.
///
/// # Errors
///
/// [`Fault`] if not all of it is the process's to write; a part may have been
/// written.
pub fn copy_to_user(address: u64, from: &[u8]) -> Result<(), Fault> {
    let to = check(address, from.len())?;
    // SAFETY: INV-FOREIGN-1: as in `copy_from_user`.
    unsafe {
        if SMAP.load(Ordering::Relaxed) {
            copy_user(to, from.as_ptr(), from.len())
        } else {
            copy(to, from.as_ptr(), from.len())
        }
    }
}

/// Checks that `size` bytes from `address` on lie where user memory does.
fn check(address: u64, size: usize) -> Result<*mut u8, Fault> {
    let end = address.checked_add(size as u64).ok_or(Fault)?;
    if end > USER_END {
        return Err(Fault);
    }
    Ok(ptr::without_provenance_mut(address as usize))
}
