//! Frames as the memory of slabs.

use core::mem;
use core::ptr;

use slab_heap::{Slab, SlabMemory};

use crate::memory::{Frames, Heap, physical_address, virtual_address};

/// Frames of the kind heap, by their virtual address.
pub(super) struct SlabFrames;

impl SlabMemory for SlabFrames {
    fn allocate(&mut self, frames: u32) -> Option<u64> {
        let frames = Frames::<Heap>::allocate(frames).ok()?;
        Some(virtual_address(frames.into_raw().0))
    }

    fn release(&mut self, address: u64, frames: u32) {
        let Some(address) = physical_address(address) else {
            panic!("the heap gives back what it took, which lies in the region");
        };
        // SAFETY: INV-HEAP-1: the heap took these frames and lets go of them
        // once, when nothing of them is in use any more.
        drop(unsafe { Frames::<Heap>::from_raw(address, frames) });
    }

    fn slab(&mut self, address: u64) -> &mut Slab {
        const { assert!(mem::align_of::<Slab>() <= 4096) };
        // SAFETY: INV-HEAP-1: the address is that of frames which the heap has.
        // Their first bytes are no part of any object; any bytes are a slab, and
        // `&mut self` makes it the only reference.
        unsafe { &mut *ptr::with_exposed_provenance_mut(address as usize) }
    }
}
