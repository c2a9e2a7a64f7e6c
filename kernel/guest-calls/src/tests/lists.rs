//! Lists of pages to validate: where they lie, how they go on, what their
//! entries may name.

extern crate std;

use std::vec::Vec;

use abi_snp::ReturnCode;
use abi_svsm::core_protocol::{CoreCall, ListHeader};
use abi_svsm::{CallingArea, ListAddress, ResultCode};
use page_state::PageState;

use super::guest::{Guest, list};
use super::model::{self, Interference, Operation};
use crate::level::GUESTS;
use crate::validation::PAGES_PER_CALL;

const UNVALIDATED: u64 = model::UNVALIDATED.start;
const GUESTS_PAGE: u64 = model::FREE.start;

#[test]
fn lists_can_lie_in_the_calling_area_and_at_the_end_of_a_page() {
    let guest = Guest::new();
    let address = model::CALLING_AREA * 4096 + CallingArea::BUFFER_OFFSET as u64;
    let in_calling_area = ListAddress::at(address).unwrap();
    guest.write_list(in_calling_area, ListHeader::new(1), &[UNVALIDATED << 12 | 4]);
    assert_eq!(guest.call(CoreCall::Validate { list: in_calling_area }), ResultCode::SUCCESS);
    assert_eq!(guest.next(in_calling_area), 1);

    let end = list(4096 - 24);
    guest.write_list(end, ListHeader::new(2), &[UNVALIDATED << 12, (UNVALIDATED + 1) << 12 | 4]);
    assert_eq!(guest.call(CoreCall::Validate { list: end }), ResultCode::SUCCESS);
    guest.write_list(end, ListHeader::new(3), &[UNVALIDATED << 12 | 4]);
    assert_eq!(guest.call(CoreCall::Validate { list: end }), ResultCode::INVALID_PARAMETER);
}

#[test]
fn long_lists_end_and_go_on() {
    let guest = Guest::new();
    // Cleared again and again: more than one call may clear.
    let entry = model::GUESTS_CHUNK << 12 | 0xd;
    let count = 2 * PAGES_PER_CALL as usize / 512 + 1;
    let words: Vec<u64> = (0..count).map(|_| entry).collect();
    let per_call = (PAGES_PER_CALL / 512) as u16;
    assert_eq!(guest.validate(&words), (ResultCode::INCOMPLETE, per_call));
    let call = CoreCall::Validate { list: list(0) };
    assert_eq!(guest.call(call), ResultCode::INCOMPLETE);
    assert_eq!(guest.next(list(0)), 2 * per_call);
    assert_eq!(guest.call(call), ResultCode::SUCCESS);
    assert_eq!(usize::from(guest.next(list(0))), count);
    assert_eq!(guest.call(call), ResultCode::INVALID_PARAMETER, "nothing is left to do");
}

#[test]
fn full_lists_are_done_in_one_call() {
    let guest = Guest::new();
    let words: Vec<u64> =
        (0..511).map(|page| (model::UNVALIDATED_CHUNK + page) << 12 | 4).collect();
    assert_eq!(guest.validate(&words), (ResultCode::SUCCESS, 511));
    assert_eq!(guest.state(model::UNVALIDATED_CHUNK + 510), GUESTS);
    assert_eq!(guest.state(model::UNVALIDATED_CHUNK + 511), PageState::Unvalidated);
}

#[test]
fn a_failing_entry_is_next() {
    let guest = Guest::new();
    let words =
        [UNVALIDATED << 12 | 4, model::MODULES.start << 12 | 4, (UNVALIDATED + 1) << 12 | 4];
    assert_eq!(guest.validate(&words), (ResultCode::INVALID_ADDRESS, 1));
    assert_eq!(guest.state(UNVALIDATED), GUESTS);
    assert_eq!(guest.state(UNVALIDATED + 1), PageState::Unvalidated);
}

#[test]
fn pages_that_are_already_so() {
    let guest = Guest::new();
    guest.model().with(|state| state.write(GUESTS_PAGE, 5, &[1]));
    assert_eq!(guest.validate(&[GUESTS_PAGE << 12 | 4]), (ResultCode::UNCHANGED, 0));
    assert_eq!(guest.model().with(|state| state.read(GUESTS_PAGE, 5)), 1);
    assert_eq!(guest.validate(&[GUESTS_PAGE << 12 | 0xc]), (ResultCode::SUCCESS, 1));
    assert_eq!(guest.model().with(|state| state.read(GUESTS_PAGE, 5)), 0, "it is cleared");
    assert_eq!(guest.validate(&[UNVALIDATED << 12]), (ResultCode::UNCHANGED, 0));
    assert_eq!(guest.validate(&[UNVALIDATED << 12 | 8]), (ResultCode::SUCCESS, 1));
}

#[test]
fn large_pages_whose_parts_differ() {
    let guest = Guest::new();
    let large = model::GUESTS_CHUNK;
    assert_eq!(guest.validate(&[(large + 3) << 12]), (ResultCode::SUCCESS, 1));
    for word in [large << 12 | 1, large << 12 | 5, large << 12 | 0xd] {
        assert_eq!(guest.validate(&[word]), (ResultCode::SIZE_MISMATCH, 0), "{word:#x}");
    }
    let with_calling_area = CoreCall::RemapCallingArea {
        calling_area: super::guest::page(model::UNVALIDATED_CHUNK + 1),
    };
    assert_eq!(guest.validate(&[model::UNVALIDATED_CHUNK << 12 | 5]).0, ResultCode::SUCCESS);
    assert_eq!(guest.call(with_calling_area), ResultCode::SUCCESS);
    let rescind = model::UNVALIDATED_CHUNK << 12 | 1;
    assert_eq!(guest.validate(&[rescind]), (ResultCode::INVALID_ADDRESS, 0));
    // Chunk 0 has pages of all kinds.
    assert_eq!(guest.validate(&[5]), (ResultCode::INVALID_ADDRESS, 0));
    assert_eq!(guest.validate(&[1]), (ResultCode::INVALID_ADDRESS, 0));
}

#[test]
fn what_the_processor_refuses_is_undone() {
    let large = model::UNVALIDATED_CHUNK << 12 | 5;
    let rescind = GUESTS_PAGE << 12;
    let refused = Some(ReturnCode::FailPermission);
    for (word, operation, code, result) in [
        (large, Operation::Open, None, ResultCode::INVALID_ADDRESS),
        (large, Operation::Validate, refused, ResultCode(0x8000_1002)),
        (large, Operation::Validate, None, ResultCode::UNKNOWN_RETURN_CODE),
        (large, Operation::Clear, None, ResultCode::INVALID_ADDRESS),
        (large, Operation::Permit, refused, ResultCode(0x8000_1002)),
        (rescind, Operation::Forbid, refused, ResultCode(0x8000_1002)),
        (rescind, Operation::Rescind, Some(ReturnCode::FailInput), ResultCode(0x8000_1001)),
    ] {
        let guest = Guest::new();
        guest.model().with(|state| state.failures.insert(operation, code));
        assert_eq!(guest.validate(&[word]), (result, 0), "{operation:?}");
        let page = word >> 12;
        let (state, is_guests) = (guest.state(page), word == rescind);
        assert_eq!(state, if is_guests { GUESTS } else { PageState::Unvalidated });
        guest.model().with(|model| {
            let page = model.pages[page as usize];
            assert_eq!((page.is_validated, page.is_permitted), (is_guests, is_guests));
        });
        assert_eq!(guest.validate(&[word]), (ResultCode::SUCCESS, 1), "{operation:?}");
    }
}

#[test]
fn a_page_that_nobody_knows_stays_claimed() {
    let guest = Guest::new();
    guest.model().with(|state| {
        state.failures.insert(Operation::Permit, Some(ReturnCode::FailInput));
        state.failures.insert(Operation::Rescind, Some(ReturnCode::FailInput));
    });
    let word = UNVALIDATED << 12 | 4;
    assert_eq!(guest.validate(&[word]), (ResultCode(0x8000_1001), 0));
    assert_eq!(guest.validate(&[word]), (ResultCode::BUSY, 0));
    assert_eq!(guest.validate(&[UNVALIDATED << 12]), (ResultCode::BUSY, 0));
}

#[test]
fn small_pages_in_the_reverse_map() {
    let guest = Guest::new();
    guest.model().with(|state| state.small_pages_only = true);
    let large = model::UNVALIDATED_CHUNK << 12 | 5;
    assert_eq!(guest.validate(&[large]), (ResultCode::SIZE_MISMATCH, 0));
    let large = model::GUESTS_CHUNK << 12 | 1;
    assert_eq!(guest.validate(&[large]), (ResultCode::SIZE_MISMATCH, 0));
    assert!(guest.model().with(|state| state.pages[model::GUESTS_CHUNK as usize].is_permitted));
}

#[test]
fn a_page_that_the_processor_finds_validated() {
    let guest = Guest::new();
    guest.model().with(|state| state.pages[UNVALIDATED as usize].is_validated = true);
    assert_eq!(guest.validate(&[UNVALIDATED << 12 | 4]), (ResultCode::UNCHANGED, 0));
    assert!(!guest.model().with(|state| state.pages[UNVALIDATED as usize].is_permitted));
    assert_eq!(guest.validate(&[UNVALIDATED << 12 | 0xc]), (ResultCode::SUCCESS, 1));
    // And one that the host has taken away.
    guest.model().with(|state| state.pages[GUESTS_PAGE as usize].is_validated = false);
    assert_eq!(guest.validate(&[GUESTS_PAGE << 12]), (ResultCode::UNCHANGED, 0));
    assert_eq!(guest.state(GUESTS_PAGE), PageState::Unvalidated);
}

#[test]
fn a_list_that_changes_while_the_call_runs() {
    // The number of entries, when it has been read.
    let guest = Guest::new();
    let change = |offset, byte| {
        let change = Interference { page: model::LIST, offset, byte };
        guest.model().with(|state| state.interference.push(change));
    };
    change(0, 0xff);
    change(1, 0xff);
    assert_eq!(guest.validate(&[UNVALIDATED << 12 | 4]), (ResultCode::SUCCESS, 1));
    // The next entry.
    change(2, 9);
    assert_eq!(guest.validate(&[UNVALIDATED << 12, (UNVALIDATED + 1) << 12 | 4]).1, 2);
}

#[test]
fn a_list_that_rescinds_itself() {
    let guest = Guest::new();
    let words = [model::LIST << 12, UNVALIDATED << 12 | 4];
    assert_eq!(guest.validate(&words).0, ResultCode::INVALID_ADDRESS);
    assert_eq!(guest.state(model::LIST), PageState::Unvalidated);
    assert_eq!(guest.state(UNVALIDATED), GUESTS, "it was read before");
}

#[test]
fn lists_that_cannot_be_read_or_written() {
    let guest = Guest::new();
    for operation in [Operation::Read, Operation::Write] {
        guest.model().with(|state| state.failures.insert(operation, None));
        let words = [UNVALIDATED << 12 | 0xc];
        assert_eq!(guest.validate(&words).0, ResultCode::INVALID_ADDRESS, "{operation:?}");
    }
}

#[test]
fn no_memory_for_the_account_of_pages() {
    let guest = Guest::with_blocks(1);
    let word = model::UNVALIDATED_CHUNK << 12 | 4;
    assert_eq!(guest.validate(&[word]), (ResultCode::memory_required(1), 0));
    assert_eq!(guest.validate(&[word | 1]), (ResultCode::SUCCESS, 1));
}
