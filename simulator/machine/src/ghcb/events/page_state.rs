//! Page state changes, by the page [GHCB 56421 2.04 §4.1.6] and by the MSR.

use alloc::boxed::Box;
use alloc::vec::Vec;

use abi_snp::PageSize;
use abi_snp::ghcb::{
    ExitOutcome, GuestFrame, PageAssignment, PageOperation, PageStateBuffer, PageStateEntry,
    PageStateHeader, PageStateOutcome, SHARED_BUFFER_SIZE,
};

use crate::ghcb::host::{PageStateRefused, PageStates};
use crate::ghcb::page_event::PageEvent;
use crate::ghcb::scratch::Scratch;
use crate::ghcb::served::EventResult;
use crate::guest_memory::GuestMemory;

/// Error of an answer by the MSR. Any but 0 means that the state has not
/// changed; this one is Linux/KVM's.
const REFUSED: u32 = 1;

/// Changes the state of one page, for a request by the MSR. Returns the error
/// of the answer.
pub(in crate::ghcb) fn assign(
    frame: GuestFrame,
    assignment: PageAssignment,
    host: &mut impl PageStates,
) -> u32 {
    let operation = match assignment {
        PageAssignment::Private => PageOperation::Private,
        PageAssignment::Shared => PageOperation::Shared,
    };
    match host.change_page_state(frame, PageSize::Size4K, operation) {
        Ok(()) => 0,
        Err(PageStateRefused { .. }) => REFUSED,
    }
}

/// Works through a list. How far it came is noted in the list; what stopped it,
/// if not the end, is in the answer.
pub(in crate::ghcb) fn list<H>(event: &PageEvent, host: &mut H) -> EventResult
where
    H: GuestMemory + PageStates,
{
    let size = SHARED_BUFFER_SIZE as u64;
    let scratch = Scratch::locate(&event.registers, event.ghcb, size, host)?;
    let mut list = parse(&scratch.read(host)?);
    let outcome = match work_through(&mut list, host) {
        Ok(()) => PageStateOutcome::NO_ERROR,
        Err(outcome) => outcome,
    };
    if outcome != PageStateOutcome::INVALID_HEADER {
        scratch.write(&used_part(&list), host)?;
    }
    Ok(ExitOutcome::Done(outcome.0).answer())
}

fn work_through(
    list: &mut PageStateBuffer,
    host: &mut impl PageStates,
) -> Result<(), PageStateOutcome> {
    let pending: Vec<_> = list.pending()?.collect();
    for item in pending {
        let entry = item.entry.map_err(|_| PageStateOutcome::INVALID_ENTRY)?;
        let (pages_done, result) = change(entry, host);
        list.record(item, pages_done);
        result?;
    }
    Ok(())
}

/// Does what is left of an entry: all at once if nothing is done yet, page by
/// page otherwise. Returns how many pages of it are done then.
fn change(
    entry: PageStateEntry,
    host: &mut impl PageStates,
) -> (u16, Result<(), PageStateOutcome>) {
    let PageStateEntry { frame, operation, size, pages_done } = entry;
    let pages = size.small_pages();
    let failed = |_| PageStateOutcome::FAILED;
    if pages_done == 0 {
        return match host.change_page_state(frame, size, operation) {
            Ok(()) => (pages, Ok(())),
            Err(error) => (0, Err(failed(error))),
        };
    }
    for page in pages_done..pages {
        // The last page of 2 MiB that start below 2^52 is below it too.
        let Some(frame) = GuestFrame::new(frame.number() | u64::from(page)) else {
            return (page, Err(PageStateOutcome::INVALID_ENTRY));
        };
        if let Err(error) = host.change_page_state(frame, PageSize::Size4K, operation) {
            return (page, Err(failed(error)));
        }
    }
    (pages, Ok(()))
}

/// The list that these bytes are; missing ones count as zero.
fn parse(bytes: &[u8]) -> Box<PageStateBuffer> {
    let mut words = bytes.as_chunks().0.iter().map(|word| u64::from_le_bytes(*word));
    let mut list = Box::new(PageStateBuffer::zeroed());
    list.header = PageStateHeader::decode(words.next().unwrap_or(0));
    for (entry, word) in list.entries.iter_mut().zip(words) {
        *entry = word;
    }
    list
}

/// The header and the entries up to the last one that is to be done.
fn used_part(list: &PageStateBuffer) -> Vec<u8> {
    let used = usize::from(list.header.end_entry).saturating_add(1);
    core::iter::once(list.header.encode())
        .chain(list.entries.iter().copied().take(used))
        .flat_map(u64::to_le_bytes)
        .collect()
}
