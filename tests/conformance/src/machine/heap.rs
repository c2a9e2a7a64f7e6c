//! The heap, for texts and copies of pages.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, Ordering};

use linked_list_allocator::LockedHeap;

/// Bytes of the heap.
const SIZE: usize = 256 << 10;

#[repr(C, align(16))]
struct Room(UnsafeCell<[u8; SIZE]>);

// SAFETY: the only way to the bytes is `prepare`, which gives them to the heap
// once.
unsafe impl Sync for Room {}

static ROOM: Room = Room(UnsafeCell::new([0; SIZE]));

#[global_allocator]
static HEAP: LockedHeap = LockedHeap::empty();

/// Gives the heap its memory.
///
/// # Panics
///
/// If it has it already.
pub(super) fn prepare() {
    static PREPARED: AtomicBool = AtomicBool::new(false);
    assert!(!PREPARED.swap(true, Ordering::AcqRel), "the heap is prepared once, at the start");
    // SAFETY: the bytes are given out once, live for ever and have no other
    // user.
    unsafe { HEAP.lock().init(ROOM.0.get().cast(), SIZE) };
}
