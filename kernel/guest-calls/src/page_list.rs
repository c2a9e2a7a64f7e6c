//! Lists of pages that lie in the guest's memory: read once, a few entries at a
//! time.

use abi_svsm::core_protocol::ListHeader;
use abi_svsm::{ListAddress, ResultCode};
use page_state::DetailBlocks;
use zerocopy::{FromBytes, IntoBytes};

use crate::guest_calls::GuestCalls;
use crate::machine::Machine;
use crate::registry::Calling;

/// Entries that are read at a time.
const BATCH: usize = 32;
/// Where [`ListHeader::next`] stands, in bytes.
const NEXT_OFFSET: usize = core::mem::offset_of!(ListHeader, next);

/// How much of a call's work there may still be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget(pub(crate) u32);

impl Budget {
    /// Some of it is done.
    pub(crate) fn spend(&mut self, work: u32) {
        self.0 = self.0.saturating_sub(work);
    }
}

/// A processor that serves a call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller<'c> {
    /// The processor, by its number in the registry.
    pub(crate) processor: usize,
    /// Whose call it is.
    pub(crate) vcpu: Calling<'c>,
}

impl<M: Machine, B: DetailBlocks> GuestCalls<'_, M, B> {
    /// Does what the entries of a list say, from the next one on, until one
    /// fails or the budget is spent. While an entry is done, the list is not
    /// held, so that an entry can name the page in which it lies.
    pub(crate) fn walk(
        &self,
        caller: Caller<'_>,
        list: ListAddress,
        mut budget: Budget,
        mut step: impl FnMut(u64, &mut Budget) -> Result<(), ResultCode>,
    ) -> ResultCode {
        let header = match self.read_header(caller, list) {
            Ok(header) => header,
            Err(code) => return code,
        };
        let mut next = header.next;
        let mut batch = [0_u64; BATCH];
        let result = 'list: loop {
            let left = usize::from(header.entries - next);
            if left == 0 {
                break ResultCode::SUCCESS;
            }
            let entries = &mut batch[..left.min(BATCH)];
            if let Err(code) = self.read_entries(caller, list, next, entries) {
                break code;
            }
            for entry in entries {
                if budget.0 == 0 {
                    break 'list ResultCode::INCOMPLETE;
                }
                if let Err(code) = step(*entry, &mut budget) {
                    break 'list code;
                }
                next += 1;
            }
        };
        match self.write_next(caller, list, next) {
            Ok(()) => result,
            // The guest cannot know how far it came, so it must not try again.
            Err(_) => ResultCode::INVALID_ADDRESS,
        }
    }

    fn read_header(&self, caller: Caller<'_>, list: ListAddress) -> Result<ListHeader, ResultCode> {
        let page = self.hold(caller.processor, caller.vcpu, list.page())?;
        let mut bytes = [0; size_of::<ListHeader>()];
        self.machine.read(&page, list.offset(), &mut bytes)?;
        let header =
            ListHeader::read_from_bytes(&bytes).expect("the header is as long as its bytes");
        header.check(list.capacity())?;
        Ok(header)
    }

    /// Reads entries from number `first` on. The header says that they lie
    /// within the page.
    fn read_entries(
        &self,
        caller: Caller<'_>,
        list: ListAddress,
        first: u16,
        entries: &mut [u64],
    ) -> Result<(), ResultCode> {
        let page = self.hold(caller.processor, caller.vcpu, list.page())?;
        let offset = list.offset() + (1 + usize::from(first)) * ListAddress::ENTRY_SIZE;
        Ok(self.machine.read(&page, offset, entries.as_mut_bytes())?)
    }

    fn write_next(
        &self,
        caller: Caller<'_>,
        list: ListAddress,
        next: u16,
    ) -> Result<(), ResultCode> {
        let page = self.hold(caller.processor, caller.vcpu, list.page())?;
        Ok(self.machine.write(&page, list.offset() + NEXT_OFFSET, &next.to_le_bytes())?)
    }
}
