//! The allocator of all frames of the region.

use frame_allocator::{FrameAllocator, Kind};

use crate::OutOfMemory;
use crate::sync::{Rank, SpinLock};

/// All frames; `None` until memory starts.
static POOL: SpinLock<Option<FrameAllocator<'static>>> = SpinLock::new(Rank::Frames, None);

/// Puts the allocator in its place.
pub(super) fn set(pool: FrameAllocator<'static>) {
    *POOL.lock() = Some(pool);
}

/// Runs `use_it` on the allocator; `None` before memory starts.
pub(super) fn with<R>(use_it: impl FnOnce(&mut FrameAllocator<'static>) -> R) -> Option<R> {
    POOL.lock().as_mut().map(use_it)
}

/// Address of the first of `count` frames side by side.
pub(super) fn allocate(count: u32, kind: Kind) -> Result<u64, OutOfMemory> {
    let frames = with(|pool| pool.allocate(count, kind)).ok_or(OutOfMemory)?;
    Ok(frames?)
}

/// Takes frames back. Their owner is gone, so there was an allocator.
pub(super) fn release(address: u64, count: u32, kind: Kind) {
    with(|pool| pool.release(address, count, kind));
}

/// Changes what frames are used for.
pub(super) fn convert(address: u64, count: u32, from: Kind, to: Kind) {
    with(|pool| pool.convert(address, count, from, to));
}
