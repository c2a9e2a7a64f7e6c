//! Lists of pages to validate: their headers, their entries, and what is left
//! of pages.

use abi_snp::ghcb::PortIoWidth;
use abi_svsm::core_protocol::{CoreCallNumber, ListHeader};
use abi_svsm::{CallingArea, ResultCode};
use abi_x86::{SIZE_2M, SIZE_4K};
use alloc::format;
use alloc::vec::Vec;

use super::foreign::rescinded_page;
use super::format::core;
use crate::bench::Bench;
use crate::caller::{done, write_header, write_list};
use crate::checks::Check;
use crate::console::write_port;
use crate::verdict::{Verdict, expect};

const PARAMETER: ResultCode = ResultCode::INVALID_PARAMETER;

/// In an entry of a list.
const LARGE: u64 = 1;
const VALIDATE: u64 = 1 << 2;
const IGNORE_UNCHANGED: u64 = 1 << 3;

/// Ports on which a hostile host is told of pages: a PC's page registers for
/// DMA, which nobody uses here.
const LIST_MARK: u16 = 0x82;
const PAGE_MARK: u16 = 0x83;

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "validate/headers",
        source: "SVSM 58019 §6.2, table 6",
        hardware: "a list without entries, with more than fit its page, or of which nothing is \
                   left to do is an invalid parameter, and stays as it is",
        run: headers,
    },
    Check {
        name: "deposit/headers",
        source: "SVSM 58019 §6.5",
        hardware: "as of lists to validate",
        run: deposit_headers,
    },
    Check {
        name: "validate/entries",
        source: "SVSM 58019 §6.2, table 6",
        hardware: "an entry with reserved bits, a size that there is not, or an address that does \
                   not suit the size is an invalid parameter",
        run: entries,
    },
    Check {
        name: "validate/wrapping-pages",
        source: "SVSM 58019 §6.2",
        hardware: "a page of 2 MiB at the end of addresses or behind memory is an invalid address",
        run: wrapping,
    },
    Check {
        name: "validate/twice",
        source: "SVSM 58019 §6.2",
        hardware: "to validate or rescind a page twice is told as unchanged, or ignored if asked",
        run: twice,
    },
    Check {
        name: "validate/content",
        source: "abi/guest-calls.md of the book",
        hardware: "a page that is validated is all zeros, whatever it held",
        run: content,
    },
    Check {
        name: "validate/stops-at-the-first-failure",
        source: "SVSM 58019 §6.2",
        hardware: "what stands before the entry that fails is done and counted, what stands \
                   behind it is not",
        run: first_failure,
    },
    Check {
        name: "validate/own-list",
        source: "SVSM 58019 §6.2; the result from memory",
        hardware: "a list that rescinds the page in which it lies ends as an invalid address",
        run: own_list,
    },
    Check {
        name: "validate/under-attack",
        source: "abi/guest-calls.md of the book",
        hardware: "a list is done; a host that attacks the list or the page that it names, whose \
                   numbers it is told on two ports, changes no more than that",
        run: under_attack,
    },
    Check {
        name: "validate/long-lists",
        source: "SVSM 58019 §6.2",
        hardware: "the longest list, of the same page again and again, comes to an end",
        run: long,
    },
];

/// Has headers refused that make no sense for a list `number` takes.
fn refused_headers(bench: &mut Bench, number: CoreCallNumber) -> Verdict {
    let page = bench.private_page()?;
    let header = |entries, next| ListHeader { entries, next, reserved: u32::MAX };
    for (offset, header) in [
        (0, header(0, 0)),
        (0, header(512, 0)),
        (0, header(0xffff, 0)),
        (0, header(1, 1)),
        (0, header(1, 0xffff)),
        (0, header(0xffff, 0xfffe)),
        (8, header(511, 0)),
        (0xff0, header(2, 0)),
        (0xff8, header(1, 0)),
        (0xff8, header(0, 0)),
    ] {
        write_header(page, offset, header);
        let call = core(number, page.gpa() + offset as u64);
        bench.refused(&format!("{header:?} at {offset:#x}"), call, PARAMETER)?;
        expect("entries done", header.next, done(page, offset))?;
    }
    Ok(())
}

fn headers(bench: &mut Bench) -> Verdict {
    refused_headers(bench, CoreCallNumber::VALIDATE)
}

fn deposit_headers(bench: &mut Bench) -> Verdict {
    refused_headers(bench, CoreCallNumber::DEPOSIT_MEMORY)
}

/// What a list comes to must be this.
fn listed(bench: &Bench, words: &[u64], result: ResultCode, count: u16) -> Verdict {
    let got = bench.caller().validate_words(&bench.guest, words)?;
    expect(&format!("list of {words:#x?}"), (result, count), got)
}

fn entries(bench: &mut Bench) -> Verdict {
    let page = rescinded_page(bench)?.gpa();
    let odd = page | 0x1000;
    for word in [
        page | 2,
        page | 3 | VALIDATE,
        page | 0x10,
        page | 0x800 | VALIDATE,
        page | 0xff0 | VALIDATE | IGNORE_UNCHANGED,
        odd | LARGE | VALIDATE,
        odd | LARGE,
        u64::MAX,
    ] {
        listed(bench, &[word], PARAMETER, 0)?;
    }
    Ok(())
}

fn wrapping(bench: &mut Bench) -> Verdict {
    for start in [!(SIZE_2M - 1), 1 << 45, (1 << 52) - SIZE_2M, 1 << 63] {
        for flags in [0, VALIDATE, IGNORE_UNCHANGED, VALIDATE | IGNORE_UNCHANGED] {
            listed(bench, &[start | LARGE | flags], ResultCode::INVALID_ADDRESS, 0)?;
        }
    }
    Ok(())
}

fn twice(bench: &mut Bench) -> Verdict {
    let page = bench.private_page()?.gpa();
    listed(bench, &[page | VALIDATE], ResultCode::UNCHANGED, 0)?;
    listed(bench, &[page | VALIDATE | IGNORE_UNCHANGED], ResultCode::SUCCESS, 1)?;
    listed(bench, &[page], ResultCode::SUCCESS, 1)?;
    listed(bench, &[page], ResultCode::UNCHANGED, 0)?;
    listed(bench, &[page | IGNORE_UNCHANGED], ResultCode::SUCCESS, 1)?;
    listed(bench, &[page | VALIDATE], ResultCode::SUCCESS, 1)
}

fn content(bench: &mut Bench) -> Verdict {
    let page = bench.private_page()?;
    for words in
        [&[page.gpa(), page.gpa() | VALIDATE][..], &[page.gpa() | VALIDATE | IGNORE_UNCHANGED]]
    {
        for offset in (0..4096).step_by(8) {
            page.write(offset, 0x5ec2_e75e_c2e7 ^ offset as u64);
        }
        listed(bench, words, ResultCode::SUCCESS, words.len() as u16)?;
        for offset in (0..4096).step_by(8) {
            expect("word of the page", 0, page.read(offset))?;
        }
    }
    Ok(())
}

fn first_failure(bench: &mut Bench) -> Verdict {
    let [first, last] = [rescinded_page(bench)?.gpa(), rescinded_page(bench)?.gpa()];
    let module = bench.caller().module.start;
    let words = [first | VALIDATE, module | VALIDATE, last | VALIDATE];
    listed(bench, &words, ResultCode::INVALID_ADDRESS, 1)?;
    listed(bench, &[first | VALIDATE], ResultCode::UNCHANGED, 0)?;
    listed(bench, &[last | VALIDATE], ResultCode::SUCCESS, 1)
}

fn own_list(bench: &mut Bench) -> Verdict {
    let page = bench.private_page()?;
    let list = write_list(page, 0, &[page.gpa(), page.gpa() | VALIDATE]);
    let call = core(CoreCallNumber::VALIDATE, list.address());
    // Its entries were read at once; when they are done, it is the guest's
    // again, but empty.
    let got = bench.call(call)?;
    expect("result", ResultCode::SUCCESS, ResultCode::from_rax(got.rax))?;
    expect("header afterwards", 2 << 16, page.read(0))?;
    let list = write_list(page, 0, &[page.gpa()]);
    bench.refused(
        "list",
        core(CoreCallNumber::VALIDATE, list.address()),
        ResultCode::INVALID_ADDRESS,
    )?;
    listed(bench, &[page.gpa() | VALIDATE], ResultCode::SUCCESS, 1)
}

fn under_attack(bench: &mut Bench) -> Verdict {
    let (list_page, page) = (bench.private_page()?, bench.private_page()?.gpa());
    let list = write_list(list_page, 0, &[page]);
    for (port, gpa) in [(LIST_MARK, list_page.gpa()), (PAGE_MARK, page)] {
        write_port(bench.ghcb, port, PortIoWidth::Four, (gpa / SIZE_4K) as u32);
    }
    bench.succeeds("result", core(CoreCallNumber::VALIDATE, list.address()))?;
    listed(bench, &[page | VALIDATE], ResultCode::SUCCESS, 1)
}

fn long(bench: &mut Bench) -> Verdict {
    let page = rescinded_page(bench)?.gpa();
    let room = CallingArea::BUFFER_SIZE / 8 - 1;
    let words: Vec<u64> =
        (0..room).map(|index| if index % 2 == 0 { page | VALIDATE } else { page }).collect();
    listed(bench, &words, ResultCode::SUCCESS, room as u16)?;
    let end = if room.is_multiple_of(2) { VALIDATE } else { VALIDATE | IGNORE_UNCHANGED };
    listed(bench, &[page | end], ResultCode::SUCCESS, 1)
}
