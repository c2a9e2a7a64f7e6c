//! The buffer that some requests bring along: `SW_SCRATCH`.

use alloc::vec;
use alloc::vec::Vec;

use abi_snp::PageSize;
use abi_snp::ghcb::{Ghcb, GuestFrame, MalformedInput, SHARED_BUFFER_SIZE, SaveArea};

use crate::ghcb::host::PageStates;
use crate::gpa::Gpa;
use crate::guest_memory::GuestMemory;
use crate::reverse_map::Encryption;

/// Bytes that a buffer may have at most, as in Linux/KVM.
pub const SCRATCH_LIMIT: u64 = 0x4000;

/// A range of shared memory that a request may use: it lies in the page's own
/// buffer, or outside the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scratch {
    start: Gpa,
    /// At most [`SCRATCH_LIMIT`].
    length: u64,
}

impl Scratch {
    /// The buffer of `length` bytes that `request`, which came in the page
    /// `ghcb`, names.
    pub(super) fn locate(
        request: &SaveArea,
        ghcb: GuestFrame,
        length: u64,
        host: &impl PageStates,
    ) -> Result<Self, MalformedInput> {
        let start = request.scratch.ok_or(MalformedInput::MISSING_INPUT)?;
        let this = Self { start: Gpa(start), length };
        if length <= SCRATCH_LIMIT && this.is_suitable(ghcb, host) {
            Ok(this)
        } else {
            Err(MalformedInput::INVALID_SCRATCH_AREA)
        }
    }

    fn is_suitable(self, ghcb: GuestFrame, host: &impl PageStates) -> bool {
        let Some(end) = self.start.0.checked_add(self.length) else { return false };
        let page = ghcb.address();
        let page_end = page + PageSize::Size4K.bytes();
        if self.start.0 < page_end && end > page {
            let buffer = page + Ghcb::SHARED_BUFFER_OFFSET as u64;
            return self.start.0 >= buffer && end <= buffer + SHARED_BUFFER_SIZE as u64;
        }
        is_shared(self.start, self.length, host)
    }

    /// Reads the buffer.
    pub(super) fn read(self, host: &impl GuestMemory) -> Result<Vec<u8>, MalformedInput> {
        let mut bytes = vec![0; usize::try_from(self.length).unwrap_or(0)];
        host.read(self.start, Encryption::Shared, &mut bytes)
            .map_err(|_| MalformedInput::INVALID_SCRATCH_AREA)?;
        Ok(bytes)
    }

    /// Writes to the start of the buffer, if it is shared still: serving the
    /// request may have made its pages private. `bytes` are not more than it
    /// has.
    pub(super) fn write<H>(self, bytes: &[u8], host: &mut H) -> Result<(), MalformedInput>
    where
        H: GuestMemory + PageStates,
    {
        assert!(bytes.len() as u64 <= self.length, "only the range that was checked is written");
        if !is_shared(self.start, self.length, host) {
            return Err(MalformedInput::INVALID_SCRATCH_AREA);
        }
        host.write(self.start, Encryption::Shared, bytes)
            .map_err(|_| MalformedInput::INVALID_SCRATCH_AREA)
    }
}

/// Whether all pages with one of `length` bytes from `start` on are shared
/// memory of the guest. There must not be many: each one is asked for.
pub(super) fn is_shared(start: Gpa, length: u64, host: &impl PageStates) -> bool {
    let Some(end) = start.0.checked_add(length) else { return false };
    let frames = start.page_number()..end.div_ceil(PageSize::Size4K.bytes());
    frames.into_iter().all(|number| GuestFrame::new(number).is_some_and(|at| host.is_shared(at)))
}
