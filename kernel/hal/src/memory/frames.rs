//! The right to use frames.

use core::fmt;
use core::marker::PhantomData;
use core::mem;
use core::ptr;
use core::slice;
use core::sync::atomic::{Ordering, compiler_fence};

use abi_boot::PAGE_SIZE;

use super::frame_kind::{Content, FrameKind};
use super::frame_pool;
use super::region::virtual_address;
use crate::OutOfMemory;

/// Frames of 4096 bytes side by side, used as `K` says, which nobody else uses
/// (INV-FRAME-1). They go back to the allocator when this is dropped.
pub struct Frames<K: FrameKind> {
    /// Physical address of the first.
    address: u64,
    count: u32,
    kind: PhantomData<fn() -> K>,
}

impl<K: FrameKind> Frames<K> {
    /// Takes `count` frames, which lie at a multiple of 4096 times the power of
    /// two that `count` is or that follows it.
    ///
    /// # Errors
    ///
    /// [`OutOfMemory`], also for no frame and for more than 4096 of them.
    pub fn allocate(count: u32) -> Result<Self, OutOfMemory> {
        let address = frame_pool::allocate(count, K::KIND)?;
        let mut frames = Self { address, count, kind: PhantomData };
        if K::CONTENT != Content::Left {
            frames.bytes_mut().fill(0);
        }
        Ok(frames)
    }

    /// Physical address of the first frame.
    #[must_use]
    pub const fn address(&self) -> u64 {
        self.address
    }

    /// Number of frames, at least one.
    #[must_use]
    pub const fn count(&self) -> u32 {
        self.count
    }

    /// Bytes in all frames together.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.count as u64 * PAGE_SIZE
    }

    /// The content.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        let first = ptr::with_exposed_provenance(virtual_address(self.address) as usize);
        // SAFETY: INV-FRAME-1: these frames are mapped, and whoever has a
        // reference to them has it from this value.
        unsafe { slice::from_raw_parts(first, self.size() as usize) }
    }

    /// The content, to be changed.
    #[must_use]
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        let first = ptr::with_exposed_provenance_mut(virtual_address(self.address) as usize);
        // SAFETY: INV-FRAME-1: as in `bytes`, and `&mut self` makes it the only
        // reference.
        unsafe { slice::from_raw_parts_mut(first, self.size() as usize) }
    }

    /// The same frames for another use. The content stays.
    #[must_use]
    pub fn convert<L: FrameKind>(self) -> Frames<L> {
        let (address, count) = self.into_raw();
        frame_pool::convert(address, count, K::KIND, L::KIND);
        Frames { address, count, kind: PhantomData }
    }

    /// Gives up the right without giving the frames back: physical address and
    /// number. [`from_raw`](Self::from_raw) is the way back.
    pub(crate) const fn into_raw(self) -> (u64, u32) {
        let raw = (self.address, self.count);
        mem::forget(self);
        raw
    }

    /// The right that [`into_raw`](Self::into_raw) gave up.
    ///
    /// # Safety
    ///
    /// `into_raw` of the same kind returned this, nobody has called this for it
    /// since, and no reference to the frames is in use (INV-FRAME-1).
    pub(crate) const unsafe fn from_raw(address: u64, count: u32) -> Self {
        Self { address, count, kind: PhantomData }
    }
}

impl<K: FrameKind> Drop for Frames<K> {
    fn drop(&mut self) {
        if K::CONTENT == Content::ClearedAndWiped {
            self.bytes_mut().fill(0);
            // The next owner, whom the compiler cannot see, reads the zeros.
            compiler_fence(Ordering::SeqCst);
        }
        frame_pool::release(self.address, self.count, K::KIND);
    }
}

impl<K: FrameKind> fmt::Debug for Frames<K> {
    /// Shows where the frames are, not what they hold.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Frames({:#x}, {} of {:?})", self.address, self.count, K::KIND)
    }
}
