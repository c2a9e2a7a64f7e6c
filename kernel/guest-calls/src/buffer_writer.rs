//! Writing to a buffer of the guest's, page by page.

use abi_svsm::attestation::Buffer;
use abi_svsm::{GuestPage, ResultCode};
use abi_x86::SIZE_4K;
use page_state::DetailBlocks;

use crate::guest_calls::GuestCalls;
use crate::machine::Machine;

/// Where in a buffer the next byte goes. The buffer is long enough for what is
/// written.
pub(crate) struct BufferWriter<'c, 'a, M, B> {
    calls: &'c GuestCalls<'a, M, B>,
    processor: usize,
    next: u64,
    left: u32,
}

impl<'c, 'a, M: Machine, B: DetailBlocks> BufferWriter<'c, 'a, M, B> {
    pub(crate) fn new(calls: &'c GuestCalls<'a, M, B>, processor: usize, buffer: Buffer) -> Self {
        Self { calls, processor, next: buffer.page.address(), left: buffer.length }
    }

    /// Writes bytes behind those before.
    pub(crate) fn write(&mut self, mut bytes: &[u8]) -> Result<(), ResultCode> {
        while !bytes.is_empty() {
            let offset = (self.next % SIZE_4K) as usize;
            let room = (SIZE_4K as usize - offset).min(bytes.len());
            let (now, rest) = bytes.split_at(room);
            self.left = self.left.checked_sub(room as u32).ok_or(ResultCode::INVALID_PARAMETER)?;
            let page = self.calls.hold_buffer(self.processor, GuestPage::containing(self.next))?;
            self.calls.machine.write(&page, offset, now)?;
            drop(page);
            self.next = self.next.checked_add(room as u64).ok_or(ResultCode::INVALID_ADDRESS)?;
            bytes = rest;
        }
        Ok(())
    }
}
