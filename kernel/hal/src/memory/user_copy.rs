//! Copies to and from the memory of the user process that runs.
//!
//! User memory is the lower half of the address space. What a process names is
//! checked to lie there; whether something is mapped shows when it is accessed.

use core::sync::atomic::{AtomicBool, Ordering};

use super::user_range::USER_END;
use crate::recoverable::{Fault, ForeignBytes, Guarded};

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
/// [`Fault`] if not all of it is the process's to read. What lies before the first
/// page that is not has been copied, and the rest of `to` is as before.
pub fn copy_from_user(to: &mut [u8], address: u64) -> Result<(), Fault> {
    user_bytes(address, to.len(), leave())?.read(0, to)
}

/// Copies `from` to what the running process has at `address`.
///
/// # Errors
///
/// [`Fault`] if not all of it is the process's to write. What lies before the
/// first page that is not has been written.
pub fn copy_to_user(address: u64, from: &[u8]) -> Result<(), Fault> {
    user_bytes(address, from.len(), leave())?.write(0, from)
}

/// Whether an access that is none of these copies reaches what the running
/// process has at `address`: the kernel reads a word there without leave.
///
/// # Errors
///
/// [`Fault`] if the processor keeps it from that, or nothing is there.
pub fn read_without_leave(address: u64) -> Result<u64, Fault> {
    user_bytes(address, size_of::<u64>(), Guarded::No)?.load(0)
}

/// What it takes to access user memory.
fn leave() -> Guarded {
    if SMAP.load(Ordering::Relaxed) { Guarded::Smap } else { Guarded::No }
}

/// `size` bytes at `address`, if they lie where user memory does.
fn user_bytes(address: u64, size: usize, guarded: Guarded) -> Result<ForeignBytes, Fault> {
    let end = address.checked_add(size as u64).ok_or(Fault)?;
    if end > USER_END {
        return Err(Fault);
    }
    // SAFETY: INV-FOREIGN-1: the lower half holds no memory that Rust uses. That
    // the processor has SMAP was noted by whoever says so.
    Ok(unsafe { ForeignBytes::new(address, size, guarded) })
}
