//! The sizes that objects come in.

use abi_x86::SIZE_4K;

use crate::slab::Slab;

/// Largest request in bytes that is served from slabs.
pub const LARGEST_OBJECT: usize = 2048;

/// Sizes of objects in bytes: powers of two, and the numbers half-way between.
const SIZES: [u32; CLASSES] =
    [16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, LARGEST_OBJECT as u32];

/// Number of classes.
pub(crate) const CLASSES: usize = 14;

/// Objects of more than this many bytes share two frames, those of more than
/// twice as many share four; so little of a slab is left over at its end.
const LARGEST_IN_ONE_FRAME: u32 = 512;

/// A size of objects, by its place in [`SIZES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Class(usize);

impl Class {
    /// The class of the smallest objects for `size` bytes at a multiple of
    /// `alignment`, a power of two; `None` if no class has any.
    pub(crate) fn of(size: usize, alignment: usize) -> Option<Self> {
        let suits = |object: &u32| {
            *object as usize >= size && object.trailing_zeros() >= alignment.trailing_zeros()
        };
        SIZES.iter().position(suits).map(Self)
    }

    /// Its place among the classes, below [`CLASSES`].
    pub(crate) const fn index(self) -> usize {
        self.0
    }

    /// Bytes in an object.
    pub(crate) const fn object_size(self) -> u64 {
        SIZES[self.0] as u64
    }

    /// Frames in a slab.
    pub(crate) const fn frames(self) -> u32 {
        match SIZES[self.0].div_ceil(LARGEST_IN_ONE_FRAME) {
            1 => 1,
            2 => 2,
            _ => 4,
        }
    }

    /// Bytes in a slab, also what its address is a multiple of.
    pub(crate) const fn slab_size(self) -> u64 {
        self.frames() as u64 * SIZE_4K
    }

    /// Offset of a slab's first object, aligned as all of them are.
    pub(crate) const fn first_object(self) -> u64 {
        (size_of::<Slab>() as u64).next_multiple_of(1 << SIZES[self.0].trailing_zeros())
    }

    /// Objects in a slab, at most as many as its bitmap has bits.
    pub(crate) const fn objects(self) -> u32 {
        ((self.slab_size() - self.first_object()) / self.object_size()) as u32
    }
}

// Every slab has a bit for each of its objects, and at least one.
const _: () = {
    let mut class = 0;
    while class < CLASSES {
        let objects = Class(class).objects();
        assert!(objects > 0 && objects <= Slab::MOST_OBJECTS);
        class += 1;
    }
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smallest_that_suits_is_chosen() {
        let size = |size, alignment| Class::of(size, alignment).map(Class::object_size);
        assert_eq!(size(1, 1), Some(16));
        assert_eq!(size(16, 16), Some(16));
        assert_eq!(size(17, 8), Some(32));
        assert_eq!(size(40, 16), Some(48));
        assert_eq!(size(40, 32), Some(64));
        assert_eq!(size(8, 2048), Some(2048));
        assert_eq!(size(2048, 8), Some(2048));
        assert_eq!(size(2049, 8), None);
        assert_eq!(size(8, 4096), None);
    }
}
