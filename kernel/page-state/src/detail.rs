//! Detail blocks: what each page of a chunk is, where they differ.

use core::array;

use super::atomic::{AtomicU64, Ordering};
use super::chunk_part::ChunkPart;
use super::chunk_size::PAGES_PER_CHUNK;
use super::state::PageState;

/// Bits of an entry.
const ENTRY_BITS: u64 = 4;
/// Entries in a word.
const ENTRIES: u64 = u64::BITS as u64 / ENTRY_BITS;
/// Words of a block.
const WORDS: usize = (PAGES_PER_CHUNK / ENTRIES) as usize;
/// A one in each entry of a word.
const ONES: u64 = 0x1111_1111_1111_1111;
/// Bit of an entry: someone has claimed the page.
const CLAIMED: u64 = 1 << 3;

/// What a page is, and whether it is claimed: 4 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry(u64);

impl Entry {
    pub(crate) const fn new(state: PageState) -> Self {
        Self(state.code())
    }

    pub(crate) const fn claimed(state: PageState) -> Self {
        Self(state.code() | CLAIMED)
    }

    /// The low 4 bits of `bits`.
    pub(crate) const fn of_bits(bits: u64) -> Self {
        Self(bits & 0xf)
    }

    pub(crate) const fn bits(self) -> u64 {
        self.0
    }

    /// A word of such entries.
    const fn repeated(self) -> u64 {
        self.0 * ONES
    }

    pub(crate) const fn state(self) -> PageState {
        PageState::of_code(self.0)
    }

    pub(crate) const fn is_claimed(self) -> bool {
        self.0 & CLAIMED != 0
    }
}

/// Number of a block, by which its owner finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockNumber(pub u32);

/// Memory for the states of the pages of one chunk.
#[derive(Debug)]
pub struct DetailBlock {
    words: [AtomicU64; WORDS],
    /// Not 0: in use. Kept here for owners that have nowhere else to note it.
    pub(crate) taken: AtomicU64,
}

/// Where blocks come from.
pub trait DetailBlocks {
    /// A block that nobody uses, `None` if there is none. Its content does not
    /// matter.
    fn take(&self) -> Option<BlockNumber>;

    /// Takes a block back.
    fn give_back(&self, number: BlockNumber);

    /// The block with a number that [`Self::take`] gave.
    fn block(&self, number: BlockNumber) -> &DetailBlock;
}

impl<T: DetailBlocks + ?Sized> DetailBlocks for &T {
    fn take(&self) -> Option<BlockNumber> {
        (**self).take()
    }

    fn give_back(&self, number: BlockNumber) {
        (**self).give_back(number);
    }

    fn block(&self, number: BlockNumber) -> &DetailBlock {
        (**self).block(number)
    }
}

/// A word of a block, and the bits of it that belong to some pages.
struct Portion {
    word: usize,
    mask: u64,
}

/// The words that hold the entries of `part`.
#[inline(always)]
fn portions(part: ChunkPart) -> impl Iterator<Item = Portion> {
    let first = part.first_in_chunk();
    let last = first + part.count() - 1;
    // Entries from the first one on, and up to the last one.
    let low = u64::MAX << (first % ENTRIES * ENTRY_BITS);
    let high = u64::MAX >> ((ENTRIES - 1 - last % ENTRIES) * ENTRY_BITS);
    let (first, last) = (first / ENTRIES, last / ENTRIES);
    (first..=last).map(move |word| {
        let low = if word == first { low } else { u64::MAX };
        let high = if word == last { high } else { u64::MAX };
        Portion { word: word as usize, mask: low & high }
    })
}

impl DetailBlock {
    /// An unused block.
    #[must_use]
    pub fn new() -> Self {
        Self { words: array::from_fn(|_| AtomicU64::new(0)), taken: AtomicU64::new(0) }
    }

    /// Makes all entries the same.
    pub(crate) fn fill(&self, entry: Entry) {
        for word in &self.words {
            word.store(entry.repeated(), Ordering::Relaxed);
        }
    }

    /// Sets the entries of `part`. The caller has the chunk locked.
    #[inline(always)]
    pub(crate) fn set(&self, part: ChunkPart, entry: Entry) {
        for Portion { word, mask } in portions(part) {
            let word = &self.words[word];
            let kept = word.load(Ordering::Relaxed) & !mask;
            word.store(kept | (entry.repeated() & mask), Ordering::Relaxed);
        }
    }

    /// The entry of a page of the chunk, by its number in the chunk.
    pub(crate) fn get(&self, page: u64) -> Entry {
        let word = self.words[(page / ENTRIES) as usize].load(Ordering::Relaxed);
        Entry::of_bits(word >> (page % ENTRIES * ENTRY_BITS))
    }

    /// The first page of `part`, by its number in the chunk, whose entry is not
    /// this one, with its entry.
    #[inline(always)]
    pub(crate) fn first_other(&self, part: ChunkPart, entry: Entry) -> Option<(u64, Entry)> {
        portions(part).find_map(|Portion { word, mask }| {
            let found = self.words[word].load(Ordering::Relaxed);
            let different = (found ^ entry.repeated()) & mask;
            if different == 0 {
                return None;
            }
            let place = u64::from(different.trailing_zeros()) / ENTRY_BITS;
            Some((word as u64 * ENTRIES + place, Entry::of_bits(found >> (place * ENTRY_BITS))))
        })
    }

    /// Whether all pages have this entry, as those of `changed` do. Where some do
    /// not, their neighbours are likely to be among them, so these are looked at
    /// first.
    #[inline(always)]
    pub(crate) fn is_uniform(&self, entry: Entry, changed: ChunkPart) -> bool {
        let same = |word: &AtomicU64| word.load(Ordering::Relaxed) == entry.repeated();
        let near = &self.words[(changed.first_in_chunk() / ENTRIES) as usize];
        same(near) && self.are_uniform(entry)
    }

    #[inline(never)]
    fn are_uniform(&self, entry: Entry) -> bool {
        self.words.iter().all(|word| word.load(Ordering::Relaxed) == entry.repeated())
    }
}

impl Default for DetailBlock {
    fn default() -> Self {
        Self::new()
    }
}
