//! What lies behind the two views of a guest's memory.
//!
//! Every page has a shared side and a private one, in different memory of this
//! machine: what the guest writes by one view is not what it reads by the
//! other, and content does not survive a change of state unseen.
//!
//! The shared side lies at the guest's own addresses, so that a device that is
//! given a guest physical address finds the page there. Below 1 MiB this
//! machine's firmware has its data, and far up there is no memory: the shared
//! side of such pages lies elsewhere, out of devices' reach.
//!
//! Private memory is cleared when it is first used, 2 MiB at a time: what a guest
//! never touches costs nothing. Shared memory is left as it is: devices may have
//! written to it.

use core::cell::Cell;

use abi_simulator::{HIGH_MEMORY_BASE, LOW_MEMORY_LIMIT};
use abi_x86::{SIZE_2M, SIZE_4K};
use alloc::vec;
use alloc::vec::Vec;
use frame_pool::AddressRange;
use machine::reverse_map::Encryption;
use machine::{Gpa, GuestMemory, NoMemory};

use crate::memory::{ClaimError, Memory};
use crate::page::{PAGE_SIZE, Page};

/// Pages in 2 MiB.
const PAGES_IN_LARGE: usize = (SIZE_2M / SIZE_4K) as usize;

/// Where devices reach the guest's memory: from the first address behind this
/// machine's firmware up to where this program lies, and from 4 GiB on.
const DEVICE_REACH: [AddressRange; 2] = [
    AddressRange { start: 1 << 20, end: LOW_MEMORY_LIMIT },
    AddressRange { start: HIGH_MEMORY_BASE, end: 1 << 36 },
];

/// Why the guest's memory cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SetupError {
    /// Not enough memory.
    #[error("there is not enough memory for the guest's {0} MiB: start QEMU with more")]
    OutOfMemory(u64),
    /// A certain range is not free.
    #[error(transparent)]
    Claim(#[from] ClaimError),
}

/// The guest's memory.
pub(crate) struct GuestRam {
    regions: Vec<Region>,
}

struct Region {
    start: u64,
    shared: Side,
    private: Side,
}

/// One side of a region.
struct Side {
    pages: &'static [Page],
    /// For each 2 MiB from the first page on: whether it need not be cleared.
    cleared: Vec<Cell<bool>>,
}

impl GuestRam {
    /// Memory for the guest at these ranges of whole pages, which do not
    /// overlap.
    ///
    /// # Errors
    ///
    /// See [`SetupError`].
    pub(crate) fn new(memory: &mut Memory, ranges: &[AddressRange]) -> Result<Self, SetupError> {
        let mut regions: Vec<Region> = Vec::new();
        let pieces = || ranges.iter().flat_map(|range| pieces(*range));
        // First what has to lie where it lies.
        for piece in pieces() {
            regions.push(Region {
                start: piece.start,
                shared: shared(memory, piece)?,
                private: Side::EMPTY,
            });
        }
        for (region, piece) in regions.iter_mut().zip(pieces()) {
            region.private = Side::new(allocate(memory, piece)?, Content::ClearedAtFirst);
        }
        Ok(Self { regions })
    }

    /// The page at `gpa`, on one side.
    pub(crate) fn page(&self, gpa: Gpa, encryption: Encryption) -> Option<&'static Page> {
        let (side, index) = self.find(gpa, encryption)?;
        side.clear_around(index);
        side.pages.get(index)
    }

    /// The 512 pages of the 2 MiB at `gpa`, which is aligned, if they lie side
    /// by side in 2 MiB of this machine.
    pub(crate) fn large_page(
        &self,
        gpa: Gpa,
        encryption: Encryption,
    ) -> Option<&'static [Page; PAGES_IN_LARGE]> {
        let (side, index) = self.find(gpa, encryption)?;
        let pages = side.pages.get(index..)?.first_chunk()?;
        if !pages[0].address().is_multiple_of(SIZE_2M) {
            return None;
        }
        side.clear_around(index);
        side.clear_around(index + PAGES_IN_LARGE - 1);
        Some(pages)
    }

    /// Destroys what is on one side of a page, as a change of its state does:
    /// the reader finds bytes that nobody wrote.
    pub(crate) fn scramble(&self, gpa: Gpa, encryption: Encryption) {
        if let Some(page) = self.page(gpa, encryption) {
            let noise = (gpa.0 ^ 0x9e37_79b9_7f4a_7c15).wrapping_mul(0xbf58_476d_1ce4_e5b9) | 1;
            for (index, step) in (0..PAGE_SIZE / size_of::<u64>()).zip(1_u64..) {
                page.set_word(index, noise.wrapping_mul(step));
            }
        }
    }

    fn find(&self, gpa: Gpa, encryption: Encryption) -> Option<(&Side, usize)> {
        self.regions.iter().find_map(|region| {
            let index = (gpa.0.checked_sub(region.start)? / SIZE_4K) as usize;
            let side = region.side(encryption);
            (index < side.pages.len()).then_some((side, index))
        })
    }

    /// Calls `act` for the part of each page that `length` bytes from `gpa` on
    /// lie in, with the offset in the page and the range of the bytes.
    fn each_page(
        &self,
        gpa: Gpa,
        encryption: Encryption,
        length: usize,
        mut act: impl FnMut(&Page, usize, core::ops::Range<usize>),
    ) -> Result<(), NoMemory> {
        let mut done = 0;
        while done < length {
            let here = Gpa(gpa.0.checked_add(done as u64).ok_or(NoMemory(gpa))?);
            let page = self.page(here, encryption).ok_or(NoMemory(here))?;
            let offset = (here.0 % SIZE_4K) as usize;
            let count = (PAGE_SIZE - offset).min(length - done);
            act(page, offset, done..done + count);
            done += count;
        }
        Ok(())
    }
}

impl GuestMemory for GuestRam {
    fn read(&self, gpa: Gpa, encryption: Encryption, bytes: &mut [u8]) -> Result<(), NoMemory> {
        self.each_page(gpa, encryption, bytes.len(), |page, offset, range| {
            page.read(offset, &mut bytes[range]);
        })
    }

    fn write(&mut self, gpa: Gpa, encryption: Encryption, bytes: &[u8]) -> Result<(), NoMemory> {
        self.each_page(gpa, encryption, bytes.len(), |page, offset, range| {
            page.write(offset, &bytes[range]);
        })
    }

    /// Memory that was never used is clear when it is: it need not be touched.
    fn clear_page(&mut self, gpa: Gpa, encryption: Encryption) -> Result<(), NoMemory> {
        let (side, index) = self.find(gpa, encryption).ok_or(NoMemory(gpa))?;
        if side.cleared.get(index / PAGES_IN_LARGE).is_some_and(Cell::get)
            && let Some(page) = side.pages.get(index)
        {
            page.fill(0);
        }
        Ok(())
    }
}

impl Region {
    fn side(&self, encryption: Encryption) -> &Side {
        match encryption {
            Encryption::Shared => &self.shared,
            Encryption::Private => &self.private,
        }
    }
}

/// What is to be done about the old content of memory.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Content {
    /// Nothing.
    Kept,
    /// It is cleared before anyone sees it.
    ClearedAtFirst,
}

/// Pages of free memory that lie in 2 MiB as those of `range` do.
fn allocate(memory: &mut Memory, range: AddressRange) -> Result<&'static [Page], SetupError> {
    let before = range.start % SIZE_2M;
    let large = (before + range.size()).div_ceil(SIZE_2M) as usize;
    let refuse = SetupError::OutOfMemory(range.size() >> 20);
    let pages = memory.take_large_pages(large).ok_or(refuse)?;
    let first = (before / SIZE_4K) as usize;
    let count = (range.size() / SIZE_4K) as usize;
    pages.get(first..first + count).ok_or(refuse)
}

/// The shared side of a region that devices reach as a whole, or not at all.
fn shared(memory: &mut Memory, range: AddressRange) -> Result<Side, SetupError> {
    let pages = if DEVICE_REACH.iter().any(|reach| holds(*reach, range)) {
        memory.claim(range)?
    } else {
        allocate(memory, range)?
    };
    Ok(Side::new(pages, Content::Kept))
}

impl Side {
    const EMPTY: Self = Self { pages: &[], cleared: Vec::new() };

    fn new(pages: &'static [Page], content: Content) -> Self {
        let cleared = Cell::new(content == Content::Kept);
        Self { pages, cleared: vec![cleared; pages.len().div_ceil(PAGES_IN_LARGE)] }
    }

    /// Sees to it that the 2 MiB with the page of this index have been cleared.
    fn clear_around(&self, index: usize) {
        let large = index / PAGES_IN_LARGE;
        if let Some(cleared) = self.cleared.get(large)
            && !cleared.replace(true)
        {
            let first = large * PAGES_IN_LARGE;
            self.pages.iter().skip(first).take(PAGES_IN_LARGE).for_each(|page| page.fill(0));
        }
    }
}

/// `range` in pieces that devices reach as a whole, or not at all.
fn pieces(range: AddressRange) -> impl Iterator<Item = AddressRange> {
    let mut borders = [range.start, range.end, 0, 0, 0, 0];
    for (border, reach) in borders[2..].chunks_exact_mut(2).zip(DEVICE_REACH) {
        border[0] = reach.start.clamp(range.start, range.end);
        border[1] = reach.end.clamp(range.start, range.end);
    }
    borders.sort_unstable();
    (1..borders.len())
        .map(move |index| AddressRange { start: borders[index - 1], end: borders[index] })
        .filter(|piece| piece.size() != 0)
}

fn holds(outer: AddressRange, inner: AddressRange) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}
