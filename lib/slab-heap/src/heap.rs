//! The heap.

use abi_x86::SIZE_4K;

use crate::class::{CLASSES, Class};
use crate::slab::Slab;

/// The memory under a heap.
pub trait SlabMemory {
    /// Address of the first of `frames` frames of 4096 bytes side by side, a
    /// multiple of 4096 times the power of two that `frames` is or that
    /// follows it, and not 0; `None` if there are not as many.
    fn allocate(&mut self, frames: u32) -> Option<u64>;

    /// Takes frames back that [`allocate`](Self::allocate) gave, as many.
    fn release(&mut self, address: u64, frames: u32);

    /// The start of the slab at `address`, an address that
    /// [`allocate`](Self::allocate) gave and that was not released.
    fn slab(&mut self, address: u64) -> &mut Slab;
}

/// A heap on `M`. See the [crate] for how it works.
pub struct SlabHeap<M> {
    memory: M,
    /// By class, the first slab with a free object; 0 for none.
    with_room: [u64; CLASSES],
}

impl<M: SlabMemory> SlabHeap<M> {
    /// A heap that has taken nothing of `memory` yet.
    pub const fn new(memory: M) -> Self {
        Self { memory, with_room: [0; CLASSES] }
    }

    /// Address of `size` bytes at a multiple of `alignment`, a power of two;
    /// `None` if there is no memory. Their content is left as it was.
    pub fn allocate(&mut self, size: usize, alignment: usize) -> Option<u64> {
        let Some(class) = Class::of(size, alignment) else {
            return self.memory.allocate(frames_for(size, alignment)?);
        };
        let address = match self.with_room[class.index()] {
            0 => self.new_slab(class)?,
            address => address,
        };
        let slab = self.memory.slab(address);
        let Some(index) = slab.take() else {
            unreachable!("slabs in the list have a free object");
        };
        if slab.is_full() {
            self.unlink(class, address);
        }
        Some(address + class.first_object() + u64::from(index) * class.object_size())
    }

    /// Takes back what [`allocate`](Self::allocate) gave for the same size and
    /// alignment.
    ///
    /// # Panics
    ///
    /// Nothing in use is there: somebody gives back what is not theirs.
    pub fn release(&mut self, address: u64, size: usize, alignment: usize) {
        let Some(class) = Class::of(size, alignment) else {
            let Some(frames) = frames_for(size, alignment) else {
                unreachable!("what was handed out had a size that fits");
            };
            return self.memory.release(address, frames);
        };
        let start = address - address % class.slab_size();
        let offset = (address - start).checked_sub(class.first_object());
        let index = offset.filter(|offset| offset.is_multiple_of(class.object_size()));
        let Some(index) = index.map(|offset| offset / class.object_size()) else {
            panic!("an object of a heap is given back by the address it came with");
        };
        let slab = self.memory.slab(start);
        let was_full = slab.is_full();
        slab.give_back(index as u32);
        let is_empty = slab.is_empty();
        if was_full {
            self.link(class, start);
        }
        // One empty slab is kept, if it is small and the only one with room: a
        // program that takes and gives back one object shall not move frames
        // each time.
        if is_empty && (class.frames() > 1 || !self.is_alone(class, start)) {
            self.unlink(class, start);
            self.memory.release(start, class.frames());
        }
    }

    /// Whether a request of `new` bytes would get the very same object as one
    /// of `old` bytes, so that what lies there can grow or shrink in place.
    #[must_use]
    pub fn suits_both(old: usize, new: usize, alignment: usize) -> bool {
        match (Class::of(old, alignment), Class::of(new, alignment)) {
            (None, None) => frames_for(old, alignment) == frames_for(new, alignment),
            (old, new) => old == new,
        }
    }

    fn new_slab(&mut self, class: Class) -> Option<u64> {
        let address = self.memory.allocate(class.frames())?;
        *self.memory.slab(address) = Slab::new(class.objects());
        self.link(class, address);
        Some(address)
    }

    /// Puts a slab at the front of its list.
    fn link(&mut self, class: Class, address: u64) {
        let next = core::mem::replace(&mut self.with_room[class.index()], address);
        let slab = self.memory.slab(address);
        (slab.previous, slab.next) = (0, next);
        if next != 0 {
            self.memory.slab(next).previous = address;
        }
    }

    /// Takes a slab out of its list.
    fn unlink(&mut self, class: Class, address: u64) {
        let Slab { previous, next, .. } = *self.memory.slab(address);
        match previous {
            0 => self.with_room[class.index()] = next,
            previous => self.memory.slab(previous).next = next,
        }
        if next != 0 {
            self.memory.slab(next).previous = previous;
        }
    }

    /// Whether a slab of the list is the only one there.
    fn is_alone(&mut self, class: Class, address: u64) -> bool {
        self.with_room[class.index()] == address && self.memory.slab(address).next == 0
    }
}

/// Frames for a request that has none but its own; `None` if there cannot be as
/// many.
fn frames_for(size: usize, alignment: usize) -> Option<u32> {
    // Frames lie at multiples of the power of two that is not below their size.
    let bytes = size.max(alignment) as u64;
    u32::try_from(bytes.div_ceil(SIZE_4K)).ok()
}

#[cfg(test)]
mod tests;
