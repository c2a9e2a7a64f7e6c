//! Memory that the host can see.
//!
//! A page changes sides in an order that leaves no moment in which two views of
//! it can be used at once:
//!
//! | to the host | back |
//! |---|---|
//! | its entry is made one of its own, if it was part of a large page | |
//! | validation is taken back, through the private mapping | it is unmapped, on all processors |
//! | it is unmapped, on all processors | the host gives it back |
//! | the host is told | it is mapped as private |
//! | it is mapped as shared | it is validated |
//! | it is cleared | it is cleared |
//!
//! Unmapping in the middle is what makes all processors forget the old view
//! *before* the page is the other side's. What the host may have got wrong on
//! the way leaves the page unmapped and out of use for ever: the kind `lost` of
//! the statistics.
//!
//! Specification: [APM 24593 §15.36.6], [GHCB 56421 2.04 §4.1.6].

use core::fmt;
use core::ptr;
use core::slice;
use core::sync::atomic::{AtomicU64, Ordering};

use abi_x86::SIZE_4K;
use page_tables::{Attributes, Encryption};

use super::frame_kind::{Lost, SharedWithHost};
use super::frames::Frames;
use super::kernel_space::edit_linear;
use super::region::virtual_address;
use super::shared_words;
use crate::OutOfMemory;
use crate::sync::Once;

/// Pages of 4096 bytes side by side, in physical memory and in the linear map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PageRun {
    /// Physical address of the first.
    pub(crate) address: u64,
    /// Virtual address of the first.
    pub(crate) virtual_address: u64,
    /// How many.
    pub(crate) count: u32,
}

/// How a platform makes pages private or shared. Nobody uses the pages while it
/// does. On a platform without encryption there is nothing to do.
pub(crate) trait PageConversion: Sync {
    /// Takes back the validation of pages, which are mapped as private.
    ///
    /// # Errors
    ///
    /// [`ConversionRefused`].
    fn rescind(&self, pages: PageRun) -> Result<(), ConversionRefused>;

    /// Has the host make pages shared, which are not mapped.
    ///
    /// # Errors
    ///
    /// [`ConversionRefused`].
    fn make_shared(&self, pages: PageRun) -> Result<(), ConversionRefused>;

    /// Has the host make pages private, which are not mapped.
    ///
    /// # Errors
    ///
    /// [`ConversionRefused`].
    fn make_private(&self, pages: PageRun) -> Result<(), ConversionRefused>;

    /// Validates pages, which are mapped as private.
    ///
    /// # Errors
    ///
    /// [`ConversionRefused`].
    fn validate(&self, pages: PageRun) -> Result<(), ConversionRefused>;
}

/// The host has not changed the state of pages as it was asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the host refused to change the state of the page at {0:#x}")]
pub struct ConversionRefused(pub u64);

/// Why memory is not shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShareError {
    /// There is no memory, for the pages or for a page table.
    #[error(transparent)]
    OutOfMemory(#[from] OutOfMemory),
    /// The host does not cooperate. The pages are lost.
    #[error(transparent)]
    Refused(#[from] ConversionRefused),
}

/// The platform's way.
static CONVERSION: Once<&'static dyn PageConversion> = Once::new();

/// Notes the platform's way.
///
/// # Panics
///
/// It was noted before.
pub(super) fn set_conversion(conversion: &'static dyn PageConversion) {
    assert!(CONVERSION.set(conversion).is_ok(), "memory starts once");
}

fn conversion() -> &'static dyn PageConversion {
    let Some(conversion) = CONVERSION.get() else {
        panic!("there are no frames before memory starts");
    };
    *conversion
}

/// Pages that the host can read and write at any time. When this is dropped
/// they are private again and go back to the allocator.
pub struct SharedPages {
    /// `None` only while this is dropped. The content is never looked at as
    /// that of frames.
    frames: Option<Frames<SharedWithHost>>,
    pages: PageRun,
}

impl SharedPages {
    /// Takes `count` pages, shows them to the host and fills them with zeros.
    ///
    /// # Errors
    ///
    /// See [`ShareError`].
    pub fn allocate(count: u32) -> Result<Self, ShareError> {
        Self::share(Frames::allocate(count)?)
    }

    /// Shows frames to the host and fills them with zeros.
    ///
    /// # Errors
    ///
    /// See [`ShareError`].
    pub fn share(mut frames: Frames<SharedWithHost>) -> Result<Self, ShareError> {
        let conversion = conversion();
        let pages = run(&frames);
        // Later edits need no memory, so that there is no way back half-way.
        edit_linear(&mut frames, |cursor, range| cursor.split(range))?;
        if let Err(refused) = conversion.rescind(pages) {
            lose(frames);
            return Err(refused.into());
        }
        unmap(&mut frames);
        if let Err(refused) = conversion.make_shared(pages) {
            lose(frames);
            return Err(refused.into());
        }
        map(&mut frames, Encryption::Shared);
        let shared = Self { frames: Some(frames), pages };
        shared.words().iter().for_each(|word| word.store(0, Ordering::Relaxed));
        Ok(shared)
    }

    /// Makes the pages private again and fills them with zeros.
    ///
    /// # Errors
    ///
    /// [`ConversionRefused`]; the pages are lost.
    pub fn take_back(mut self) -> Result<Frames<SharedWithHost>, ConversionRefused> {
        match self.frames.take() {
            Some(frames) => take_back(frames),
            None => unreachable!("frames are there until the end, and this is the end"),
        }
    }

    /// Physical address of the first page: what the host is told.
    #[must_use]
    pub const fn address(&self) -> u64 {
        self.pages.address
    }

    /// How many pages there are.
    #[must_use]
    pub const fn count(&self) -> u32 {
        self.pages.count
    }

    /// Bytes in all pages together.
    #[must_use]
    pub fn size(&self) -> usize {
        self.pages.count as usize * SIZE_4K as usize
    }

    /// The content as the host sees it, 512 words in a page.
    #[must_use]
    pub fn words(&self) -> &[AtomicU64] {
        let first = ptr::with_exposed_provenance(self.pages.virtual_address as usize);
        // SAFETY: INV-FRAME-1: the frames are this value's and mapped; they are
        // only reached as atomics while they are shared, so that the host may
        // change them.
        unsafe { slice::from_raw_parts(first, self.size() / size_of::<u64>()) }
    }

    /// Copies the bytes from `offset` on to `to`.
    ///
    /// # Panics
    ///
    /// The pages end before.
    pub fn read(&self, offset: usize, to: &mut [u8]) {
        shared_words::read(self.words(), offset, to);
    }

    /// Copies `from` to the bytes from `offset` on.
    ///
    /// # Panics
    ///
    /// The pages end before.
    pub fn write(&self, offset: usize, from: &[u8]) {
        shared_words::write(self.words(), offset, from);
    }
}

impl Drop for SharedPages {
    fn drop(&mut self) {
        if let Some(frames) = self.frames.take() {
            // What the host refuses is lost, which the statistics show.
            let _ = take_back(frames);
        }
    }
}

impl fmt::Debug for SharedPages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SharedPages").field(&self.pages).finish()
    }
}

fn take_back(
    mut frames: Frames<SharedWithHost>,
) -> Result<Frames<SharedWithHost>, ConversionRefused> {
    let conversion = conversion();
    let pages = run(&frames);
    unmap(&mut frames);
    if let Err(refused) = conversion.make_private(pages) {
        lose(frames);
        return Err(refused);
    }
    map(&mut frames, Encryption::Private);
    if let Err(refused) = conversion.validate(pages) {
        unmap(&mut frames);
        lose(frames);
        return Err(refused);
    }
    frames.bytes_mut().fill(0);
    Ok(frames)
}

fn run(frames: &Frames<SharedWithHost>) -> PageRun {
    PageRun {
        address: frames.address(),
        virtual_address: virtual_address(frames.address()),
        count: frames.count(),
    }
}

fn unmap(frames: &mut Frames<SharedWithHost>) {
    let unmapped = edit_linear(frames, |cursor, range| cursor.unmap(range));
    assert!(unmapped.is_ok(), "the pages have entries of their own: nothing is left to split");
}

fn map(frames: &mut Frames<SharedWithHost>, encryption: Encryption) {
    let address = frames.address();
    let attributes = Attributes { encryption, ..Attributes::KERNEL_DATA };
    let mapped = edit_linear(frames, |cursor, range| cursor.map(range, address, attributes));
    assert!(mapped.is_ok(), "the pages were mapped before: their tables are there");
}

/// Puts frames out of use for ever.
fn lose(frames: Frames<SharedWithHost>) {
    let _ = frames.convert::<Lost>().into_raw();
}
