//! Page state changes by the page, driven by the guest's own state machine.

use alloc::vec::Vec;

use abi_snp::PageSize;
use abi_snp::ghcb::{
    ExitCode, GuestFrame, MalformedInput, NaeError, PageOperation, PageStateBuffer,
    PageStateHeader, PageStateOutcome, PageStateRequest, Progress, ProgressError, SaveArea,
    ValidFields,
};

use crate::ghcb::answer::{Next, Stop};
use crate::ghcb::fake_host::Access;
use crate::ghcb::test_guest::TestGuest;

const SMALL: PageSize = PageSize::Size4K;
const LARGE: PageSize = PageSize::Size2M;

fn frame(number: u64) -> GuestFrame {
    GuestFrame::new(number).unwrap()
}

/// Puts the bytes into the buffer and asks. Returns what the server says.
fn ask(guest: &mut TestGuest, bytes: &[u8]) -> PageStateOutcome {
    let place = guest.buffer(0);
    guest.host.bytes_mut(place, bytes.len()).copy_from_slice(bytes);
    let words = SaveArea::request(ExitCode::SNP_PAGE_STATE_CHANGE.0, 0, 0);
    let request = SaveArea { scratch: Some(place), ..words };
    let outputs = guest.outputs(request, ValidFields::EXIT_INFO_2).unwrap();
    PageStateOutcome(outputs.exit_info_2)
}

fn word(guest: &TestGuest, offset: usize) -> u64 {
    let bytes = guest.host.bytes(guest.buffer(offset as u64), 8);
    u64::from_le_bytes(bytes.try_into().unwrap())
}

/// Asks once, and takes over how far the server came.
fn drive(guest: &mut TestGuest, request: &mut PageStateRequest) -> Result<Progress, ProgressError> {
    let outcome = ask(guest, request.image().unwrap());
    request.advance(outcome.0, |offset| word(guest, offset))
}

#[test]
fn a_list_of_both_sizes_is_worked_through() {
    let mut guest = TestGuest::new();
    let mut request = PageStateRequest::new();
    let list = [
        (frame(8), PageOperation::Private, SMALL),
        (frame(9), PageOperation::Shared, SMALL),
        (frame(0x200), PageOperation::Private, LARGE),
        (frame(0x400), PageOperation::Psmash, LARGE),
        (frame(0x600), PageOperation::Unsmash, LARGE),
    ];
    for (frame, operation, size) in list {
        request.push(frame, operation, size).unwrap();
    }
    assert_eq!(drive(&mut guest, &mut request), Ok(Progress::Done));
    let expected = list.map(|(frame, operation, size)| Access::PageState(frame, size, operation));
    assert_eq!(guest.host.take_accesses(), expected);
    assert!(!guest.host.shared.contains(&8) && guest.host.shared.contains(&9));
}

#[test]
fn a_list_may_take_its_own_pages_away() {
    let list = |number| {
        let mut request = PageStateRequest::new();
        request.push(frame(number), PageOperation::Private, SMALL).unwrap();
        request
    };
    // A buffer of its own: the page is private, and how far the list came is
    // not told.
    let mut guest = TestGuest::new();
    let bytes = list(8).image().unwrap().to_vec();
    guest.host.bytes_mut(0x8000, bytes.len()).copy_from_slice(&bytes);
    let words = SaveArea::request(ExitCode::SNP_PAGE_STATE_CHANGE.0, 0, 0);
    let outcome = guest.outputs(SaveArea { scratch: Some(0x8000), ..words }, ValidFields::empty());
    assert_eq!(outcome, Err(NaeError::Refused(MalformedInput::INVALID_SCRATCH_AREA)));
    assert!(!guest.host.shared.contains(&8));
    assert_eq!(guest.host.bytes(0x8000, bytes.len()), bytes);
    // The page of the request: there is no way to answer.
    let mut guest = TestGuest::new();
    let (ghcb, place) = (guest.ghcb, guest.buffer(0));
    let bytes = list(ghcb.number()).image().unwrap().to_vec();
    guest.prepare(&SaveArea { scratch: Some(place), ..words });
    guest.host.bytes_mut(place, bytes.len()).copy_from_slice(&bytes);
    assert_eq!(guest.exit_by_page().next, Next::Stop(Stop::InaccessibleGhcb(ghcb)));
}

#[test]
fn the_longest_list() {
    let mut guest = TestGuest::new();
    let mut request = PageStateRequest::new();
    for number in 0..PageStateBuffer::CAPACITY as u64 {
        request.push(frame(0x1000 + number), PageOperation::Private, SMALL).unwrap();
    }
    assert_eq!(drive(&mut guest, &mut request), Ok(Progress::Done));
    assert_eq!(guest.host.take_accesses().len(), 253);
}

#[test]
fn the_first_failure_ends_it_and_can_be_tried_again() {
    let mut guest = TestGuest::new();
    let mut request = PageStateRequest::new();
    for number in 8..12 {
        request.push(frame(number), PageOperation::Private, SMALL).unwrap();
    }
    guest.host.stubborn.insert(10);
    let refused = ProgressError::Refused { entry: 2, outcome: PageStateOutcome::FAILED };
    assert_eq!(drive(&mut guest, &mut request), Err(refused));
    assert_eq!(guest.host.take_accesses().len(), 3);
    guest.host.stubborn.clear();
    assert_eq!(drive(&mut guest, &mut request), Ok(Progress::Done));
    let rest =
        [10, 11].map(|number| Access::PageState(frame(number), SMALL, PageOperation::Private));
    assert_eq!(guest.host.take_accesses(), rest);
}

#[test]
fn a_large_page_that_is_partly_done_goes_on_page_by_page() {
    let mut guest = TestGuest::new();
    let entry = 1 << 56 | 1 << 52 | 0x20_0000 | 510_u64;
    let bytes: Vec<u8> = [0, entry].iter().flat_map(|word| word.to_le_bytes()).collect();
    guest.host.stubborn.insert(0x3ff);
    assert_eq!(ask(&mut guest, &bytes), PageStateOutcome::FAILED);
    let rest = [0x3fe, 0x3ff]
        .map(|number| Access::PageState(frame(number), SMALL, PageOperation::Private));
    assert_eq!(guest.host.take_accesses(), rest);
    assert_eq!((word(&guest, 0), word(&guest, 8)), (0, entry + 1));
    guest.host.stubborn.clear();
    assert_eq!(ask(&mut guest, &bytes), PageStateOutcome::NO_ERROR);
    assert_eq!((word(&guest, 0), word(&guest, 8)), (1, entry + 2));
}

#[test]
fn a_large_page_that_fails_is_not_done_at_all() {
    let mut guest = TestGuest::new();
    let mut request = PageStateRequest::new();
    request.push(frame(0x200), PageOperation::Private, LARGE).unwrap();
    guest.host.stubborn.insert(0x277);
    let refused = ProgressError::Refused { entry: 0, outcome: PageStateOutcome::FAILED };
    assert_eq!(drive(&mut guest, &mut request), Err(refused));
    assert_eq!(word(&guest, 8) & 0xfff, 0);
}

#[test]
fn malformed_entries_are_told_after_those_before_them() {
    let mut guest = TestGuest::new();
    let header = PageStateHeader { current_entry: 0, end_entry: 2, reserved: 0 }.encode();
    let good = 1 << 52 | 8 << 12;
    for bad in [0, 5 << 52, 1 << 57 | good, good | 2, 1 << 56 | good] {
        let bytes: Vec<u8> =
            [header, good, bad, good].iter().flat_map(|word: &u64| word.to_le_bytes()).collect();
        assert_eq!(ask(&mut guest, &bytes), PageStateOutcome::INVALID_ENTRY);
        assert_eq!(word(&guest, 0) & 0xffff, 1);
        assert_eq!(guest.host.take_accesses().len(), 1, "{bad:#x}");
    }
}

#[test]
fn malformed_and_finished_headers_change_nothing() {
    let mut guest = TestGuest::new();
    let header =
        |current_entry, end_entry, reserved| PageStateHeader { current_entry, end_entry, reserved };
    for (header, outcome) in [
        (header(0, 253, 0), PageStateOutcome::INVALID_HEADER),
        (header(0, 0, 1), PageStateOutcome::INVALID_HEADER),
        (header(2, 1, 0), PageStateOutcome::NO_ERROR),
    ] {
        assert_eq!(ask(&mut guest, &header.encode().to_le_bytes()), outcome);
        assert_eq!(word(&guest, 0), header.encode());
    }
    assert_eq!(guest.host.take_accesses(), []);
}

#[test]
fn the_list_needs_a_whole_buffer() {
    let mut guest = TestGuest::new();
    let words = SaveArea::request(ExitCode::SNP_PAGE_STATE_CHANGE.0, 0, 0);
    let request = SaveArea { scratch: Some(guest.buffer(8)), ..words };
    let error = NaeError::Refused(MalformedInput::INVALID_SCRATCH_AREA);
    assert_eq!(guest.outputs(request, ValidFields::empty()), Err(error));
}
