//! The allocator of all frames of the region, and what processors keep of it.

use frame_allocator::{FrameAllocator, Kind};

use super::frame_cache;
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
    if count != 1 || !frame_cache::keeps(kind) {
        return allocate_shared(count, kind);
    }
    if let Some(frame) = frame_cache::take(kind) {
        return Ok(frame);
    }
    // Take some more under the same lock, and keep those.
    let more = with(|pool| [(); frame_cache::MOST].map(|()| pool.allocate(1, kind).ok()));
    let mut more = more.into_iter().flatten().flatten();
    let frame = more.next();
    for frame in more {
        keep_or_release(frame, kind);
    }
    frame.map_or_else(|| allocate_shared(1, kind), Ok)
}

/// Takes frames back. Their owner is gone, so there was an allocator.
pub(super) fn release(address: u64, count: u32, kind: Kind) {
    if count == 1 {
        keep_or_release(address, kind);
    } else {
        with(|pool| pool.release(address, count, kind));
    }
}

/// Changes what frames are used for.
pub(super) fn convert(address: u64, count: u32, from: Kind, to: Kind) {
    with(|pool| pool.convert(address, count, from, to));
}

/// Takes frames from the allocator, if need be after it got back what the
/// processors keep.
fn allocate_shared(count: u32, kind: Kind) -> Result<u64, OutOfMemory> {
    let allocate = || with(|pool| pool.allocate(count, kind)).ok_or(OutOfMemory);
    if let Ok(frames) = allocate()? {
        return Ok(frames);
    }
    frame_cache::take_all(|frame, kind| {
        with(|pool| pool.release(frame, 1, kind));
    });
    Ok(allocate()??)
}

fn keep_or_release(frame: u64, kind: Kind) {
    if !frame_cache::put(frame, kind) {
        with(|pool| pool.release(frame, 1, kind));
    }
}
