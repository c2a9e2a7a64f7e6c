//! The allocator under `alloc`.

use core::alloc::{GlobalAlloc, Layout};
use core::ptr;

use slab_heap::SlabHeap;

use super::slab_frames::SlabFrames;
use crate::sync::{Rank, SpinLock};

#[global_allocator]
static HEAP: KernelHeap = KernelHeap(SpinLock::new(Rank::Heap, SlabHeap::new(SlabFrames)));

struct KernelHeap(SpinLock<SlabHeap<SlabFrames>>);

// SAFETY: INV-HEAP-1: what `SlabHeap` hands out is as large and as aligned as
// was asked for, belongs to nobody else until it is given back, and lies in the
// linear map.
unsafe impl GlobalAlloc for KernelHeap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let address = self.0.lock().allocate(layout.size(), layout.align());
        address
            .map_or(ptr::null_mut(), |address| ptr::with_exposed_provenance_mut(address as usize))
    }

    unsafe fn dealloc(&self, object: *mut u8, layout: Layout) {
        let address = object.expose_provenance() as u64;
        self.0.lock().release(address, layout.size(), layout.align());
    }

    unsafe fn realloc(&self, object: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        let (old_size, alignment) = (layout.size(), layout.align());
        if SlabHeap::<SlabFrames>::suits_both(old_size, new_size, alignment) {
            return object;
        }
        // SAFETY: the caller promises that the new size fits a layout.
        let new_layout = unsafe { Layout::from_size_align_unchecked(new_size, alignment) };
        // SAFETY: the caller promises that `new_size` is not 0 and that `object`
        // is in use with `layout`; the new object is another one.
        unsafe {
            let new = self.alloc(new_layout);
            if !new.is_null() {
                ptr::copy_nonoverlapping(object, new, old_size.min(new_size));
                self.dealloc(object, layout);
            }
            new
        }
    }
}
