//! A slab's first bytes: what is known of it.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

const WORDS: usize = 4;

/// The first 64 bytes of a slab. Any bytes will do before
/// [`SlabHeap`](crate::SlabHeap) fills them in.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Slab {
    /// Neighbours in the list of slabs with room, by address; 0 for none.
    pub(crate) previous: u64,
    pub(crate) next: u64,
    /// Objects that the slab has, and those in use.
    objects: u32,
    used: u32,
    reserved: u64,
    /// One bit for each object, set if it is in use.
    bitmap: [u64; WORDS],
}

const _: () = assert!(size_of::<Slab>() == 64);

impl Slab {
    /// Bits of the bitmap.
    pub(crate) const MOST_OBJECTS: u32 = WORDS as u32 * u64::BITS;

    /// A slab without neighbours, all of whose objects are free.
    pub(crate) const fn new(objects: u32) -> Self {
        assert!(objects <= Self::MOST_OBJECTS, "each object has its bit");
        Self { previous: 0, next: 0, objects, used: 0, reserved: 0, bitmap: [0; WORDS] }
    }

    /// Index of an object that is in use from now on; `None` if all are.
    pub(crate) fn take(&mut self) -> Option<u32> {
        let word = self.bitmap.iter().position(|word| *word != u64::MAX)?;
        let bit = self.bitmap[word].trailing_ones();
        let index = word as u32 * u64::BITS + bit;
        if index >= self.objects {
            return None;
        }
        self.bitmap[word] |= 1 << bit;
        self.used += 1;
        Some(index)
    }

    /// Makes an object free.
    ///
    /// # Panics
    ///
    /// It is free already: somebody gives back what is not theirs.
    pub(crate) fn give_back(&mut self, index: u32) {
        assert!(index < self.objects, "objects are given back by the address they came with");
        let word = &mut self.bitmap[(index / u64::BITS) as usize];
        let bit = 1 << (index % u64::BITS);
        assert!(*word & bit != 0, "an object of a heap is given back twice");
        *word &= !bit;
        self.used -= 1;
    }

    /// Whether all objects are in use.
    pub(crate) const fn is_full(&self) -> bool {
        self.used == self.objects
    }

    /// Whether no object is in use.
    pub(crate) const fn is_empty(&self) -> bool {
        self.used == 0
    }
}
