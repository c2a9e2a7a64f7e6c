//! Requests by the GHCB page.
//!
//! The page is the host's as much as ours: it is written word by word, each
//! field of the answer is copied out once, and everything is decided on that
//! copy.

use core::sync::atomic::Ordering;

use abi_snp::ghcb::{
    Ghcb as Layout, NaeError, NaeOutputs, PROTOCOL_VERSION, SHARED_BUFFER_SIZE, SaveArea,
    ValidFields,
};

use super::exit::exit;
use crate::processor::current;
use crate::shared_slot::SharedPage;
use crate::sync::Masked;

/// This processor's page, for requests one after the other.
#[derive(Clone, Copy)]
pub(super) struct Ghcb<'m> {
    page: &'static SharedPage,
    gpa: u64,
    masked: &'m Masked,
}

/// Words of the page before the buffer.
const BUFFER: usize = Layout::SHARED_BUFFER_OFFSET / 8;
/// The last words: among them the protocol version and the usage, 0.
const TAIL: usize = Layout::PROTOCOL_VERSION_OFFSET / 8;
const VERSION_SHIFT: usize = Layout::PROTOCOL_VERSION_OFFSET % 8 * 8;
const _: () = assert!(Layout::USAGE_OFFSET / 8 == TAIL);

impl<'m> Ghcb<'m> {
    /// The page, `None` as long as the processor has none.
    pub(super) fn of_this_processor(masked: &'m Masked) -> Option<Self> {
        let (page, gpa) = current().ghcb.get()?;
        Some(Self { page, gpa, masked })
    }

    /// Guest physical address of the buffer in the page, for `SW_SCRATCH`.
    pub(super) const fn buffer_gpa(self) -> u64 {
        self.gpa + Layout::SHARED_BUFFER_OFFSET as u64
    }

    /// Writes `bytes` to the start of the buffer; what the last word has no byte
    /// for becomes 0.
    ///
    /// # Panics
    ///
    /// If they are more than [`SHARED_BUFFER_SIZE`]: requests are made here, and
    /// in pieces that fit.
    pub(super) fn fill_buffer(self, bytes: &[u8]) {
        assert!(bytes.len() <= SHARED_BUFFER_SIZE, "a request fits into the buffer");
        for (part, word) in bytes.chunks(8).zip(&self.page.0[BUFFER..]) {
            let mut value = [0; 8];
            value[..part.len()].copy_from_slice(part);
            word.store(u64::from_le_bytes(value), Ordering::Relaxed);
        }
    }

    /// The 8 bytes at `offset` in the buffer.
    ///
    /// # Panics
    ///
    /// If the offset is no multiple of 8 in the buffer.
    pub(super) fn buffer_word(self, offset: usize) -> u64 {
        assert!(offset.is_multiple_of(8) && offset < SHARED_BUFFER_SIZE, "not a word's offset");
        self.page.0[BUFFER + offset / 8].load(Ordering::Relaxed)
    }

    /// Asks the host for an event that returns `asked`.
    ///
    /// # Errors
    ///
    /// The event did not take place, or did not return all of `asked`.
    // Most requests are known where they are made: what they lack costs nothing
    // then.
    #[inline(always)]
    pub(super) fn ask(
        self,
        request: &SaveArea,
        asked: ValidFields,
    ) -> Result<NaeOutputs, NaeError> {
        let answer = self.exchange_for(request, NaeOutputs::looked_at(asked));
        let detail = || self.load(ValidFields::EXIT_INFO_2).exit_info_2;
        NaeOutputs::check_with(&answer, asked, detail)
    }

    /// Has the host answer `request`: for events that return one thing or
    /// another. The answer is the host's word, to be checked.
    pub(super) fn exchange(self, request: &SaveArea) -> SaveArea {
        self.exchange_for(request, ValidFields::all())
    }

    /// Has the host answer `request`, and takes the fields in `wanted` of the
    /// answer.
    #[inline(always)]
    fn exchange_for(self, request: &SaveArea, wanted: ValidFields) -> SaveArea {
        let words = &self.page.0;
        request.store(|offset, value| words[offset / 8].store(value, Ordering::Relaxed));
        let tail = u64::from(PROTOCOL_VERSION) << VERSION_SHIFT;
        words[TAIL].store(tail, Ordering::Relaxed);
        exit(self.gpa, self.masked);
        self.load(wanted)
    }

    /// Takes the fields in `wanted` of the latest answer.
    #[inline(always)]
    fn load(self, wanted: ValidFields) -> SaveArea {
        let words = &self.page.0;
        SaveArea::load_fields(wanted, |offset| words[offset / 8].load(Ordering::Relaxed))
    }
}
