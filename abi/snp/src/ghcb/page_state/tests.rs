//! Page state changes: layout, both sides together, and a hypervisor that
//! cheats.

extern crate std;

use std::string::ToString;
use std::vec::Vec;

use proptest::prelude::*;
use zerocopy::{FromBytes, IntoBytes};

use super::*;
use crate::ghcb::GuestFrame;
use crate::page_size::PageSize;

fn frame(gpa: u64) -> GuestFrame {
    GuestFrame::at(gpa).unwrap()
}

fn request(pages: &[(u64, PageOperation, PageSize)]) -> PageStateRequest {
    let mut request = PageStateRequest::new();
    for (gpa, operation, size) in pages {
        request.push(frame(*gpa), *operation, *size).unwrap();
    }
    request
}

/// The shared buffer that a hypervisor finds.
fn shared(request: &PageStateRequest) -> PageStateBuffer {
    let image = request.image().unwrap();
    let mut bytes = [0xee; size_of::<PageStateBuffer>()];
    bytes[..image.len()].copy_from_slice(image);
    PageStateBuffer::read_from_bytes(&bytes).unwrap()
}

fn word(buffer: &PageStateBuffer, offset: usize) -> u64 {
    let bytes: [u8; 8] = buffer.as_bytes()[offset..offset + 8].try_into().unwrap();
    u64::from_le_bytes(bytes)
}

const PRIVATE: PageOperation = PageOperation::Private;
const SHARED: PageOperation = PageOperation::Shared;
const SMALL: PageSize = PageSize::Size4K;
const LARGE: PageSize = PageSize::Size2M;

#[test]
fn a_list_is_these_bytes() {
    let request = request(&[(0x1234_5000, PRIVATE, SMALL), (0xf_ffff_ffe0_0000, SHARED, LARGE)]);
    let expected = [
        [0, 0, 1, 0, 0, 0, 0, 0],
        [0x00, 0x50, 0x34, 0x12, 0, 0, 0x10, 0],
        [0x00, 0x00, 0xe0, 0xff, 0xff, 0xff, 0x2f, 1],
    ];
    assert_eq!(request.image(), Some(expected.as_flattened()));
}

#[test]
fn entries_are_checked() {
    use PageStateEntryError as Error;
    for (word, error) in [
        (1 << 57 | 1 << 52, Error::ReservedBits(1 << 57)),
        (1 << 63 | 1 << 52, Error::ReservedBits(1 << 63)),
        (0, Error::Operation(0)),
        (5 << 52, Error::Operation(5)),
        (1 << 56 | 1 << 52 | 0x1000, Error::Alignment { frame: frame(0x1000), size: LARGE }),
        (1 << 52 | 2, Error::PagesDone(2)),
        (1 << 56 | 1 << 52 | 513, Error::PagesDone(513)),
    ] {
        assert_eq!(PageStateEntry::decode(word), Err(error), "{word:#x}");
    }
    let done = PageStateEntry::decode(1 << 56 | 4 << 52 | 0x20_0000 | 512).unwrap();
    assert_eq!((done.operation, done.pages_done), (PageOperation::Unsmash, 512));
    assert!(done.is_done());
}

#[test]
fn pages_that_cannot_be_are_not_taken() {
    let mut request = PageStateRequest::new();
    assert_eq!(request.image(), None);
    let error = PageStateEntryError::Alignment { frame: frame(0x1f_f000), size: LARGE };
    let refusal = request.push(frame(0x1f_f000), PRIVATE, LARGE);
    assert_eq!(refusal, Err(PageStateRequestError::Entry(error)));
    assert_eq!(error.to_string(), "page state entry: 2M page at unaligned address 0x1ff000");
    for number in 0..253 {
        assert!(!request.is_full());
        request.push(frame(number * 4096), PRIVATE, SMALL).unwrap();
    }
    assert!(request.is_full());
    let refusal = request.push(frame(0), PRIVATE, SMALL);
    assert_eq!(refusal, Err(PageStateRequestError::Full));
    assert_eq!(request.image().map(<[u8]>::len), Some(2032));
}

#[test]
fn headers_are_checked() {
    let mut buffer = shared(&request(&[(0x1000, PRIVATE, SMALL)]));
    assert_eq!(buffer.pending().unwrap().count(), 1);
    buffer.header.current_entry = 1;
    assert_eq!(buffer.pending().unwrap().count(), 0);
    buffer.header.current_entry = u16::MAX;
    assert_eq!(buffer.pending().unwrap().count(), 0);
    for header in [
        PageStateHeader { current_entry: 0, end_entry: 253, reserved: 0 },
        PageStateHeader { current_entry: 0, end_entry: u16::MAX, reserved: 0 },
        PageStateHeader { current_entry: 0, end_entry: 0, reserved: 1 },
    ] {
        buffer.header = header;
        assert_eq!(buffer.pending().err(), Some(PageStateOutcome::INVALID_HEADER));
    }
}

#[test]
fn malformed_entries_are_told_with_their_number() {
    let mut buffer = shared(&request(&[(0x1000, PRIVATE, SMALL), (0x2000, SHARED, SMALL)]));
    buffer.entries[1] = 7 << 52;
    let bad = buffer.pending().unwrap().nth(1).unwrap();
    assert_eq!(bad.index(), 1);
    assert_eq!(bad.entry, Err(PageStateEntryError::Operation(7)));
}

/// A hypervisor that does one page of 4 KiB, or `step` of a large one, at a
/// time.
fn work(buffer: &mut PageStateBuffer, step: u16) {
    let Some(pending) = buffer.pending().unwrap().next() else { return };
    let entry = pending.entry.unwrap();
    let done = (entry.pages_done + step).min(entry.size.small_pages());
    buffer.record(pending, done);
}

#[test]
fn an_interrupted_change_is_resumed() {
    let mut request = request(&[
        (0x1000, PRIVATE, SMALL),
        (0x20_0000, SHARED, LARGE),
        (0x2000, PageOperation::Psmash, SMALL),
    ]);
    let mut steps = Vec::new();
    loop {
        let mut buffer = shared(&request);
        work(&mut buffer, 200);
        steps.push((buffer.header.current_entry, buffer.entries[1] & 0xfff));
        let progress = request.advance(0, |offset| word(&buffer, offset)).unwrap();
        if progress == Progress::Done {
            break;
        }
        assert_eq!(progress, Progress::Advanced);
        let refusal = request.push(frame(0x5000), PRIVATE, SMALL);
        assert_eq!(refusal, Err(PageStateRequestError::UnderWay));
    }
    // What is behind the current entry is of no interest any more.
    assert_eq!(steps, [(1, 0), (1, 200), (1, 400), (2, 512), (3, 400)]);
    assert_eq!(request.image(), None);
}

#[test]
fn standing_still_is_told() {
    let mut request = request(&[(0x1000, PRIVATE, SMALL)]);
    let buffer = shared(&request);
    assert_eq!(request.advance(0, |offset| word(&buffer, offset)), Ok(Progress::Unchanged));
    assert!(request.image().is_some());
}

#[test]
fn a_refusal_names_the_entry() {
    let mut request = request(&[(0x1000, PRIVATE, SMALL), (0x2000, PRIVATE, SMALL)]);
    let mut buffer = shared(&request);
    work(&mut buffer, 1);
    let failed = PageStateOutcome::FAILED;
    let error = request.advance(failed.0, |offset| word(&buffer, offset)).unwrap_err();
    assert_eq!(error, ProgressError::Refused { entry: 1, outcome: failed });
    assert_eq!(error.to_string(), "hypervisor: page state change ends at entry 1: failed");
    // Even when all is done, it seems.
    work(&mut buffer, 1);
    let error = request.advance(0x4_0000_0000, |offset| word(&buffer, offset)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "hypervisor: page state change ends at entry 2: unknown error (0x400000000)"
    );
}

#[test]
fn a_hypervisor_that_cheats_is_found_out() {
    let original = {
        let mut request = request(&[(0x1000, PRIVATE, SMALL), (0x20_0000, SHARED, LARGE)]);
        let mut buffer = shared(&request);
        work(&mut buffer, 1);
        work(&mut buffer, 200);
        request.advance(0, |offset| word(&buffer, offset)).unwrap();
        request
    };
    let header = 0x1_0001;
    let entry = 1 << 56 | 2 << 52 | 0x20_0000 | 200;
    let entry_error = |word| ProgressError::Entry { entry: 1, word };
    for (header, entry, error) in [
        (0x0_0001, entry, ProgressError::Header(PageStateHeader::decode(0x0_0001))),
        (0x2_0001, entry, ProgressError::Header(PageStateHeader::decode(0x2_0001))),
        (1 << 32 | header, entry, ProgressError::Header(PageStateHeader::decode(1 << 32 | header))),
        (0x1_0000, entry, ProgressError::CurrentEntry(0)),
        (0x1_0003, entry, ProgressError::CurrentEntry(3)),
        (0x1_ffff, entry, ProgressError::CurrentEntry(0xffff)),
        (header, entry - 1, entry_error(entry - 1)),
        (header, entry + 0x20_0000, entry_error(entry + 0x20_0000)),
        (header, entry ^ 3 << 52, entry_error(entry ^ 3 << 52)),
        (header, entry ^ 1 << 56, entry_error(entry ^ 1 << 56)),
        (header, entry | 1 << 60, entry_error(entry | 1 << 60)),
        (header, entry + 313, entry_error(entry + 313)),
    ] {
        let mut request = original.clone();
        let read = |offset| match offset {
            0 => header,
            16 => entry,
            other => panic!("{other:#x} is nobody's business"),
        };
        assert_eq!(request.advance(0, read), Err(error), "{header:#x} {entry:#x}");
        assert_eq!(request, original);
    }
}

#[test]
fn outcomes_in_words() {
    let words = [0, 0x1_0000_0001, 0x1_0000_0002, 0x100_0000_0000].map(PageStateOutcome);
    let expected = ["no error", "invalid header", "invalid entry", "failed"];
    assert_eq!(words.map(|outcome| outcome.to_string()), expected);
}

fn pages() -> impl Strategy<Value = Vec<(u64, PageOperation, PageSize)>> {
    let operation = prop_oneof![
        Just(PRIVATE),
        Just(SHARED),
        Just(PageOperation::Psmash),
        Just(PageOperation::Unsmash)
    ];
    let page = (0..1_u64 << 31, operation, prop_oneof![Just(SMALL), Just(LARGE)])
        .prop_map(|(number, operation, size)| (number * 0x20_0000, operation, size));
    proptest::collection::vec(page, 1..20)
}

proptest! {
    #[test]
    fn whatever_decodes_as_an_entry_is_its_encoding(
        frame in 0..1_u64 << 40,
        high in 0..0x200_u64,
        pages_done in 0..600_u64,
    ) {
        for frame in [frame, frame & !511] {
            let word = high << 52 | frame << 12 | pages_done;
            if let Ok(entry) = PageStateEntry::decode(word) {
                prop_assert_eq!(entry.encode(), word);
            }
        }
    }

    #[test]
    fn any_entry_is_judged(word in any::<u64>()) {
        if let Ok(entry) = PageStateEntry::decode(word) {
            prop_assert_eq!(entry.encode(), word);
        }
    }

    #[test]
    fn any_buffer_is_judged(mut bytes in proptest::collection::vec(any::<u8>(), 2032), end: u8) {
        // A header that can often be true.
        bytes[1] = 0;
        bytes[2] = end;
        bytes[3..8].fill(0);
        let mut buffer = PageStateBuffer::read_from_bytes(&bytes).unwrap();
        if let Ok(pending) = buffer.clone().pending() {
            for pending in pending {
                prop_assert!(pending.index() <= buffer.header.end_entry);
                buffer.record(pending, 1);
            }
        }
    }

    #[test]
    fn both_sides_come_to_an_end(pages in pages(), step in 1..600_u16) {
        let mut request = request(&pages);
        let asked: Vec<_> = shared(&request)
            .pending()
            .unwrap()
            .map(|pending| pending.entry.unwrap())
            .map(|entry| (entry.frame.address(), entry.operation, entry.size))
            .collect();
        prop_assert_eq!(&asked, &pages);
        for _ in 0..513 * pages.len() {
            let mut buffer = shared(&request);
            work(&mut buffer, step);
            if request.advance(0, |offset| word(&buffer, offset)) == Ok(Progress::Done) {
                break;
            }
        }
        prop_assert_eq!(request.image(), None);
    }

    #[test]
    fn whatever_a_hypervisor_says_never_widens_the_list(
        pages in pages(),
        answers in proptest::collection::vec((0..30_u16, any::<u64>(), 0..2_u64), 1..10),
    ) {
        let mut request = request(&pages);
        let frames = |request: &PageStateRequest| -> Vec<u64> {
            let bytes = request.image().unwrap_or_default();
            let (words, _) = bytes.as_chunks::<8>();
            words.iter().skip(1).map(|word| u64::from_le_bytes(*word) >> 12).collect()
        };
        let before = frames(&request);
        let end = u64::from(pages.len() as u16 - 1);
        for (current, entry, outcome) in answers {
            let header = end << 16 | u64::from(current);
            let judged = request.advance(outcome, |offset| if offset == 0 { header } else { entry });
            if judged == Ok(Progress::Done) {
                break;
            }
            let after = frames(&request);
            prop_assert!(after.is_empty() || after == before);
        }
    }
}
