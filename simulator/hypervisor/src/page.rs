//! Pages of physical memory.

use core::ptr;
use core::sync::atomic::{AtomicU64, Ordering};

/// Bytes in a page.
pub(crate) const PAGE_SIZE: usize = 4096;

const WORD: usize = size_of::<u64>();

/// A page of memory that others may change at any time: the guest, the
/// processor when it reads tables, a device. So it is only read and written in
/// whole words, each at once.
#[repr(C, align(4096))]
pub(crate) struct Page([AtomicU64; PAGE_SIZE / WORD]);

const _: () = assert!(size_of::<Page>() == PAGE_SIZE);

impl Page {
    /// `count` pages at physical `address`.
    ///
    /// # Safety
    ///
    /// INV-HV-PAGE-1: the address is a multiple of 4096, the pages are memory
    /// and mapped, and Rust code uses them as [`Page`]s only from now on.
    pub(crate) unsafe fn slice_at(address: u64, count: usize) -> &'static [Self] {
        let first = ptr::with_exposed_provenance::<Self>(address as usize);
        // SAFETY: INV-HV-PAGE-1. Every content is valid for atomic words, and
        // shared references to them allow for changes.
        unsafe { core::slice::from_raw_parts(first, count) }
    }

    /// Its physical address. Whoever gets it may change the page.
    pub(crate) fn address(&self) -> u64 {
        ptr::from_ref(self).expose_provenance() as u64
    }

    /// Sets every byte to `value`.
    pub(crate) fn fill(&self, value: u8) {
        for word in &self.0 {
            word.store(u64::from_le_bytes([value; WORD]), Ordering::Relaxed);
        }
    }

    /// The word of this index, 0 to 511.
    pub(crate) fn word(&self, index: usize) -> u64 {
        self.at(index).load(Ordering::Relaxed)
    }

    /// Sets the word of this index, 0 to 511.
    pub(crate) fn set_word(&self, index: usize, value: u64) {
        self.at(index).store(value, Ordering::Relaxed);
    }

    /// The byte at `offset`, 0 to 4095.
    pub(crate) fn byte(&self, offset: usize) -> u8 {
        let bytes = self.word(offset / WORD).to_le_bytes();
        bytes[offset % WORD]
    }

    /// Writes `bytes` from `offset` on; they must fit.
    pub(crate) fn write(&self, offset: usize, bytes: &[u8]) {
        assert!(offset + bytes.len() <= PAGE_SIZE, "callers stay within a page");
        let mut offset = offset;
        let mut rest = bytes;
        while !rest.is_empty() {
            let (index, skip) = (offset / WORD, offset % WORD);
            let (now, later) = rest.split_at((WORD - skip).min(rest.len()));
            let mut word = [0; WORD];
            if now.len() < WORD {
                word = self.word(index).to_le_bytes();
            }
            word[skip..skip + now.len()].copy_from_slice(now);
            self.set_word(index, u64::from_le_bytes(word));
            offset += now.len();
            rest = later;
        }
    }

    /// Reads bytes from `offset` on; they must lie within the page.
    pub(crate) fn read(&self, offset: usize, bytes: &mut [u8]) {
        assert!(offset + bytes.len() <= PAGE_SIZE, "callers stay within a page");
        let mut offset = offset;
        let mut rest = bytes;
        while !rest.is_empty() {
            let (index, skip) = (offset / WORD, offset % WORD);
            let (now, later) = rest.split_at_mut((WORD - skip).min(rest.len()));
            now.copy_from_slice(&self.word(index).to_le_bytes()[skip..skip + now.len()]);
            offset += now.len();
            rest = later;
        }
    }

    fn at(&self, index: usize) -> &AtomicU64 {
        assert!(index < self.0.len(), "word {index} of a page: callers stay within it");
        &self.0[index]
    }
}
