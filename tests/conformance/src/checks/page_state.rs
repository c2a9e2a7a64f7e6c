//! Lists of pages to change [GHCB 56421 2.04 §4.1.6].

use abi_snp::PageSize;
use abi_snp::ghcb::{
    ExitCode, GuestFrame, PageOperation, PageStateBuffer, PageStateEntry, PageStateHeader,
    PageStateOutcome, SaveArea, ValidFields,
};
use abi_x86::ExceptionVector;
use alloc::boxed::Box;
use zerocopy::IntoBytes;

use super::check::Check;
use crate::bench::{Bench, assign, expect_trap};
use crate::ghcb::frame;
use crate::machine::{Page, Probe, Validation, View};
use crate::verdict::{Verdict, expect, require};

const SOURCE: &str = "GHCB 56421 2.04 §4.1.6";

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "page-state/list",
        source: SOURCE,
        hardware: "all entries are done, and the header is behind the last one",
        run: list,
    },
    Check {
        name: "page-state/large",
        source: SOURCE,
        hardware: "2 MiB become private by one entry, and can be validated as one page or as 512",
        run: large,
    },
    Check {
        name: "page-state/bad-entry",
        source: SOURCE,
        hardware: "a malformed entry stops the list: invalid entry (1_0000_0002), the header names \
                   it, and those before are done",
        run: bad_entry,
    },
    Check {
        name: "page-state/no-memory",
        source: SOURCE,
        hardware: "an entry that cannot be done stops the list with an error, the header names it, \
                   and those before are done",
        run: no_memory,
    },
    Check {
        name: "page-state/bad-header",
        source: SOURCE,
        hardware: "a last entry that there is not: invalid header (1_0000_0001)",
        run: bad_header,
    },
    Check {
        name: "page-state/content-lost",
        source: "APM 24593 §15.34.5, §15.36.5",
        hardware: "what was in a page cannot be read after it went from private to shared or back: \
                   the key differs",
        run: content_lost,
    },
    Check {
        name: "page-state/not-validated",
        source: "APM 24593 §15.36.5, §15.36.10",
        hardware: "a page that went from private to shared and back has to be validated again: \
                   until then, reading is #VC with code 404",
        run: not_validated,
    },
];

/// A list of these entries.
fn buffer(entries: &[u64]) -> Box<PageStateBuffer> {
    let mut buffer = Box::new(PageStateBuffer::zeroed());
    let end_entry = entries.len() as u16 - 1;
    buffer.header = PageStateHeader { current_entry: 0, end_entry, reserved: 0 };
    buffer.entries[..entries.len()].copy_from_slice(entries);
    buffer
}

/// Sends the list, and gives the outcome and the list's header.
fn send(bench: &Bench, buffer: &PageStateBuffer) -> Verdict<(PageStateOutcome, PageStateHeader)> {
    bench.ghcb.fill_buffer(buffer.as_bytes());
    let asked = SaveArea {
        scratch: Some(bench.ghcb.buffer_gpa()),
        ..SaveArea::request(ExitCode::SNP_PAGE_STATE_CHANGE.0, 0, 0)
    };
    let outputs = bench.must(&asked, ValidFields::EXIT_INFO_2)?;
    let mut header = [0; 8];
    bench.ghcb.read_buffer(&mut header);
    let header = PageStateHeader::decode(u64::from_le_bytes(header));
    Ok((PageStateOutcome(outputs.exit_info_2), header))
}

fn entry(page: Page, operation: PageOperation) -> u64 {
    let entry = PageStateEntry::new(frame(page), operation, page.size());
    entry.expect("pages are aligned").encode()
}

fn list(bench: &mut Bench) -> Verdict {
    let pages = [(); 3].map(|()| bench.guest.memory.take(PageSize::Size4K, View::Private));
    let entries = pages.map(|page| entry(page, PageOperation::Private));
    let (outcome, header) = send(bench, &buffer(&entries))?;
    expect("outcome", PageStateOutcome::NO_ERROR, outcome)?;
    expect("current entry", 3, header.current_entry)?;
    for page in pages {
        bench.pvalidate(page, Validation::Validate)?;
        page.write(0, page.gpa());
        expect("content", page.gpa(), page.read(0))?;
    }
    Ok(())
}

fn large(bench: &mut Bench) -> Verdict {
    let page = bench.guest.memory.take(PageSize::Size2M, View::Private);
    let (outcome, header) = send(bench, &buffer(&[entry(page, PageOperation::Private)]))?;
    expect("outcome", PageStateOutcome::NO_ERROR, outcome)?;
    expect("current entry", 1, header.current_entry)?;
    let outcome = bench.probe(Probe::Pvalidate {
        page,
        size: PageSize::Size2M,
        validation: Validation::Validate,
    });
    expect("exception", None, outcome.trap)?;
    const SIZE_MISMATCH: u64 = 6;
    match outcome.registers.rax {
        0 => {}
        // Hosts may hold the memory in small pages.
        SIZE_MISMATCH => {
            for index in 0..u64::from(PageSize::Size2M.small_pages()) {
                let part = bench.guest.memory.map_part(page, index, View::Private);
                bench.pvalidate(part, Validation::Validate)?;
            }
        }
        other => return require(false, "return code 0 or 6", other),
    }
    let last = PageSize::Size2M.bytes() as usize - 8;
    page.write(last, 0x1122_3344);
    expect("content", 0x1122_3344, page.read(last))
}

/// Two good entries, a bad one, a good one: the first two are done.
fn stops(bench: &mut Bench, bad: u64) -> Verdict<PageStateOutcome> {
    let pages = [(); 3].map(|()| bench.guest.memory.take(PageSize::Size4K, View::Private));
    let [first, second, last] = pages.map(|page| entry(page, PageOperation::Private));
    let (outcome, header) = send(bench, &buffer(&[first, second, bad, last]))?;
    expect("current entry", 2, header.current_entry)?;
    for page in pages.into_iter().take(2) {
        bench.pvalidate(page, Validation::Validate)?;
    }
    Ok(outcome)
}

fn bad_entry(bench: &mut Bench) -> Verdict {
    const NO_SUCH_OPERATION: u64 = 0xf << 52;
    let outcome = stops(bench, NO_SUCH_OPERATION | bench.ghcb.0.gpa())?;
    expect("outcome", PageStateOutcome::INVALID_ENTRY, outcome)
}

fn no_memory(bench: &mut Bench) -> Verdict {
    let frame = GuestFrame::at(1 << 46).expect("it is aligned");
    let entry = PageStateEntry::new(frame, PageOperation::Private, PageSize::Size4K);
    let outcome = stops(bench, entry.expect("it is aligned").encode())?;
    require(outcome != PageStateOutcome::NO_ERROR, "an error", outcome)
}

fn bad_header(bench: &mut Bench) -> Verdict {
    let mut list = buffer(&[0]);
    list.header.end_entry = PageStateBuffer::CAPACITY as u16;
    let (outcome, _) = send(bench, &list)?;
    expect("outcome", PageStateOutcome::INVALID_HEADER, outcome)
}

/// What is written to a page to be recognised.
const MARK: u64 = 0x7e57_ab1e_0dd5_1234;

fn content_lost(bench: &mut Bench) -> Verdict {
    use abi_snp::ghcb::PageAssignment::{Private, Shared};
    let page = bench.private_page()?;
    let shared =
        bench.guest.memory.map_again(page, View::Shared, crate::machine::Allowed::ReadWrite);
    page.write(0, MARK);
    bench.pvalidate(page, Validation::Rescind)?;
    assign(page, Shared)?;
    let seen = shared.read(0);
    require(seen != MARK, "other content as shared page", seen)?;
    shared.write(8, MARK);
    assign(page, Private)?;
    bench.pvalidate(page, Validation::Validate)?;
    let seen = page.read(8);
    require(seen != MARK, "other content as private page", seen)
}

fn not_validated(bench: &mut Bench) -> Verdict {
    use abi_snp::ghcb::PageAssignment::{Private, Shared};
    let page = bench.private_page()?;
    bench.pvalidate(page, Validation::Rescind)?;
    assign(page, Shared)?;
    assign(page, Private)?;
    let probe = Probe::Read(page, 0);
    let code = ExitCode::PAGE_NOT_VALIDATED.0;
    expect_trap(probe, &bench.probe(probe), ExceptionVector::VMM_COMMUNICATION, code).map(drop)
}
