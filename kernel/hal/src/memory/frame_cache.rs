//! Single frames that each processor has at hand.
//!
//! Most requests are for one frame, and every processor makes them; the one
//! lock of the allocator would keep them waiting for each other. So each
//! processor keeps a few frames of the kinds that come and go, which it takes
//! four at a time.
//!
//! The allocator counts such frames as in use, and [`kept`] says how many of
//! them are not. Who finds no free memory takes all of them back first
//! ([`take_all`]), so that none is missing when it is needed.
//!
//! No lock is taken while another is held.

use alloc::vec::Vec;

use frame_allocator::Kind;

use super::frame_kind::{FrameKind, Heap, PageTable, User};
use crate::OutOfMemory;
use crate::heap::TryPush;
use crate::sync::{Once, Rank, SpinLock};

/// Most frames of one kind that a processor keeps, and how many it takes at
/// once.
pub(super) const MOST: usize = 4;

/// The kinds that are kept.
const KINDS: [Kind; 3] = [PageTable::KIND, Heap::KIND, User::KIND];

/// Addresses of frames of one kind; 0, where the region never is, for none.
#[derive(Clone, Copy)]
struct Kept([u64; MOST]);

const NONE: u64 = 0;

impl Kept {
    const EMPTY: Self = Self([NONE; MOST]);

    fn take(&mut self) -> Option<u64> {
        let place = self.0.iter_mut().find(|place| **place != NONE)?;
        Some(core::mem::replace(place, NONE))
    }

    /// Whether there was room for the frame.
    fn put(&mut self, frame: u64) -> bool {
        let place = self.0.iter_mut().find(|place| **place == NONE);
        place.is_some_and(|place| {
            *place = frame;
            true
        })
    }

    fn frames(self) -> impl Iterator<Item = u64> {
        self.0.into_iter().filter(|frame| *frame != NONE)
    }
}

/// What a processor keeps of each kind. Others only come by to take it back.
type Cache = SpinLock<[Kept; KINDS.len()]>;

/// By processor; empty at first.
static CACHES: Once<Vec<Cache>> = Once::new();

/// Makes caches for `processors` processors.
///
/// # Errors
///
/// [`OutOfMemory`].
///
/// # Panics
///
/// It was called before.
pub(super) fn start(processors: u32) -> Result<(), OutOfMemory> {
    let mut caches = Vec::new();
    caches.try_reserve_exact(processors as usize).map_err(|_| OutOfMemory)?;
    for _ in 0..processors {
        caches.try_push(SpinLock::new(Rank::Frames, [Kept::EMPTY; KINDS.len()]))?;
    }
    assert!(CACHES.set(caches).is_ok(), "there is one set of caches");
    Ok(())
}

/// A frame of `kind` that the running processor has kept.
pub(super) fn take(kind: Kind) -> Option<u64> {
    own(kind, Kept::take).flatten()
}

/// Keeps a frame of `kind` for later; false if there is no room for it.
pub(super) fn put(frame: u64, kind: Kind) -> bool {
    own(kind, |kept| kept.put(frame)).unwrap_or_default()
}

/// Whether single frames of `kind` are kept.
pub(super) fn keeps(kind: Kind) -> bool {
    KINDS.contains(&kind) && CACHES.get().is_some()
}

/// Takes everything that any processor keeps, and gives it to `give_back` with
/// its kind.
pub(super) fn take_all(mut give_back: impl FnMut(u64, Kind)) {
    for cache in CACHES.get().into_iter().flatten() {
        let all = core::mem::replace(&mut *cache.lock(), [Kept::EMPTY; KINDS.len()]);
        for (kept, kind) in all.into_iter().zip(KINDS) {
            kept.frames().for_each(|frame| give_back(frame, kind));
        }
    }
}

/// Number of frames of `kind` that processors keep at this moment.
pub(super) fn kept(kind: Kind) -> u32 {
    let Some(place) = KINDS.iter().position(|kept| *kept == kind) else { return 0 };
    let caches = CACHES.get().into_iter().flatten();
    caches.map(|cache| cache.lock()[place].frames().count() as u32).sum()
}

/// Runs `use_it` on what the running processor keeps of `kind`. If the task is
/// moved meanwhile it is another one's cache, which does no harm.
fn own<R>(kind: Kind, use_it: impl FnOnce(&mut Kept) -> R) -> Option<R> {
    let place = KINDS.iter().position(|kept| *kept == kind)?;
    let cache = CACHES.get()?.get(own_number())?;
    cache.lock().get_mut(place).map(use_it)
}

/// Number of the processor that runs.
#[cfg(target_os = "none")]
fn own_number() -> usize {
    crate::processor::current().index().number() as usize
}

/// The developer's machine is one processor.
#[cfg(not(target_os = "none"))]
const fn own_number() -> usize {
    0
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use super::*;
    use crate::memory::frame_kind::Stack;

    /// One test, because all use the same caches.
    #[test]
    fn frames_are_kept_by_kind_and_come_back_once() {
        assert!(!keeps(Heap::KIND));
        assert!(!put(0x1000, Heap::KIND));
        start(2).unwrap();
        assert!(keeps(Heap::KIND) && !keeps(Stack::KIND));
        assert_eq!(take(Heap::KIND), None);
        for frame in 1..=MOST as u64 {
            assert!(put(frame << 12, Heap::KIND));
        }
        assert!(!put(0x9000, Heap::KIND));
        assert!(!put(0x9000, Stack::KIND));
        assert!(put(0xa000, User::KIND));
        assert_eq!((kept(Heap::KIND), kept(User::KIND), kept(Stack::KIND)), (4, 1, 0));
        assert_eq!(take(PageTable::KIND), None);
        let first = take(Heap::KIND).unwrap();
        let mut rest = Vec::new();
        take_all(|frame, kind| rest.push((frame, kind)));
        assert_eq!(rest.len(), MOST);
        assert!(rest.contains(&(0xa000, User::KIND)) && !rest.contains(&(first, Heap::KIND)));
        assert_eq!((kept(Heap::KIND), take(User::KIND)), (0, None));
    }
}
