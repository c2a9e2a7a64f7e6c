//! PVALIDATE, and pages that are not validated.

use abi_snp::PageSize;
use abi_snp::ghcb::ExitCode;
use abi_x86::ExceptionVector;
use alloc::boxed::Box;

use super::check::Check;
use crate::bench::{Bench, expect_done, expect_trap};
use crate::machine::{Allowed, Outcome, Page, Probe, Validation, View};
use crate::verdict::{Verdict, expect, require};

const PVALIDATE: &str = "APM 24594 PVALIDATE; APM 24593 §15.36.6";
const ACCESS: &str = "APM 24593 §15.36.10, table 15-39";

const FAIL_INPUT: u64 = 1;
const FAIL_SIZE_MISMATCH: u64 = 6;

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "validation/validate",
        source: PVALIDATE,
        hardware: "validating a page gives 0 with CF clear, once more 0 with CF set",
        run: validate,
    },
    Check {
        name: "validation/required-memory",
        source: "QEMU backends/igvm.c and target/i386/sev.c, required memory",
        hardware: "memory that the image requires is the guest's from the start: a page of it can \
                   be validated without a change of its state",
        run: required_memory,
    },
    Check {
        name: "validation/rescind",
        source: PVALIDATE,
        hardware: "rescinding gives 0 with CF clear, once more 0 with CF set; then the page can be \
                   validated again",
        run: rescind,
    },
    Check {
        name: "validation/own-size-only",
        source: PVALIDATE,
        hardware: "2 MiB of pages of 4 KiB give FAIL_SIZEMISMATCH (6), and nothing is validated",
        run: large_of_small,
    },
    Check {
        name: "validation/unaligned",
        source: PVALIDATE,
        hardware: "2 MiB at an address that is no multiple of 2 MiB give FAIL_INPUT (1)",
        run: unaligned,
    },
    Check {
        name: "validation/small-of-large",
        source: "APM 24593 §15.36.11, table 15-40",
        hardware: "4 KiB of a page of 2 MiB succeed: the hypervisor splits the page",
        run: small_of_large,
    },
    Check {
        name: "validation/not-mapped",
        source: PVALIDATE,
        hardware: "an address that is not mapped is #PF for a read in supervisor mode, CR2 has it",
        run: not_mapped,
    },
    Check {
        name: "validation/high-bits",
        source: "Linux passes values of type bool; from memory otherwise",
        hardware: "of ECX and EDX only the lowest bit counts",
        run: high_bits,
    },
    Check {
        name: "validation/read-before",
        source: ACCESS,
        hardware: "reading a page that is not validated is #VC with code 404, CR2 has the address",
        run: |bench| not_validated(bench, |page| Probe::Read(page, 0x18), 0x18),
    },
    Check {
        name: "validation/write-before",
        source: ACCESS,
        hardware: "writing a page that is not validated is #VC with code 404, CR2 has the address",
        run: |bench| not_validated(bench, |page| Probe::Write(page, 0x18, 1), 0x18),
    },
    Check {
        name: "validation/fetch-before",
        source: ACCESS,
        hardware: "executing a page that is not validated is #VC with code 404, RIP in the page",
        run: fetch_before,
    },
    Check {
        name: "validation/after-rescinding",
        source: ACCESS,
        hardware: "a page that was rescinded is as one that never was validated",
        run: after_rescinding,
    },
    Check {
        name: "validation/fetch",
        source: ACCESS,
        hardware: "code in a validated page runs",
        run: fetch,
    },
    Check {
        name: "validation/shared-view",
        source: ACCESS,
        hardware: "reading a private page by a mapping without C-bit gives no exception, and other \
                   content",
        run: shared_view,
    },
];

fn pvalidate(bench: &Bench, page: Page, size: PageSize, validation: Validation) -> Outcome {
    bench.probe(Probe::Pvalidate { page, size, validation })
}

/// Fails unless PVALIDATE completes with this code and carry.
fn expect_code(outcome: &Outcome, code: u64, carry: bool) -> Verdict {
    expect_done("exception", outcome)?;
    expect("return code and carry", (code, carry), (outcome.registers.rax, outcome.carry()))
}

fn validate(bench: &mut Bench) -> Verdict {
    let page = bench.assigned_page(PageSize::Size4K)?;
    for carry in [false, true] {
        let outcome = pvalidate(bench, page, PageSize::Size4K, Validation::Validate);
        expect_code(&outcome, 0, carry)?;
    }
    page.write(0, 1);
    expect("content", 1, page.read(0))
}

fn required_memory(bench: &mut Bench) -> Verdict {
    // All memory that is handed out here is required by the image, and no page
    // is handed out twice.
    let page = bench.guest.memory.take(PageSize::Size4K, View::Private);
    let outcome = pvalidate(bench, page, PageSize::Size4K, Validation::Validate);
    expect_code(&outcome, 0, false)?;
    page.write(0, 1);
    expect("content", 1, page.read(0))
}

fn rescind(bench: &mut Bench) -> Verdict {
    let page = bench.private_page()?;
    for carry in [false, true] {
        let outcome = pvalidate(bench, page, PageSize::Size4K, Validation::Rescind);
        expect_code(&outcome, 0, carry)?;
    }
    bench.pvalidate(page, Validation::Validate)?;
    page.write(0, 1);
    expect("content", 1, page.read(0))
}

fn large_of_small(bench: &mut Bench) -> Verdict {
    let page = bench.assigned_page(PageSize::Size2M)?;
    // That the page consists of small ones is sure once one of them is.
    let part = bench.guest.memory.map_part(page, 1, View::Private);
    bench.pvalidate(part, Validation::Validate)?;
    let outcome = pvalidate(bench, page, PageSize::Size2M, Validation::Validate);
    expect_done("exception", &outcome)?;
    expect("return code", FAIL_SIZE_MISMATCH, outcome.registers.rax)?;
    let probe = Probe::Read(page, 0);
    expect_404(probe, &bench.probe(probe), page.address())
}

fn unaligned(bench: &mut Bench) -> Verdict {
    let page = bench.assigned_page(PageSize::Size2M)?;
    let part = bench.guest.memory.map_part(page, 1, View::Private);
    let aligned = part.address().is_multiple_of(PageSize::Size2M.bytes());
    let part = if aligned { bench.guest.memory.map_part(page, 1, View::Private) } else { part };
    let outcome = pvalidate(bench, part, PageSize::Size2M, Validation::Validate);
    expect_done("exception", &outcome)?;
    expect("return code", FAIL_INPUT, outcome.registers.rax)
}

fn small_of_large(bench: &mut Bench) -> Verdict {
    use abi_snp::ghcb::{
        ExitCode, PageOperation, PageStateBuffer, PageStateEntry, SaveArea, ValidFields,
    };
    use zerocopy::IntoBytes;
    let page = bench.guest.memory.take(PageSize::Size2M, View::Private);
    let entry =
        PageStateEntry::new(crate::ghcb::frame(page), PageOperation::Private, PageSize::Size2M);
    let mut list = Box::new(PageStateBuffer::zeroed());
    list.entries[0] = entry.expect("the page is aligned").encode();
    bench.ghcb.fill_buffer(list.as_bytes());
    let asked = SaveArea {
        scratch: Some(bench.ghcb.buffer_gpa()),
        ..SaveArea::request(ExitCode::SNP_PAGE_STATE_CHANGE.0, 0, 0)
    };
    bench.must(&asked, ValidFields::EXIT_INFO_2)?;
    // Whether it is a large page then or not: this validates it.
    let outcome = pvalidate(bench, page, PageSize::Size2M, Validation::Validate);
    expect_done("exception", &outcome)?;
    let was_large = outcome.registers.rax == 0;
    if was_large {
        page.write(0x1000, 0x77);
    }
    let part = bench.guest.memory.map_part(page, 1, View::Private);
    let outcome = pvalidate(bench, part, PageSize::Size4K, Validation::Validate);
    expect_code(&outcome, 0, was_large)?;
    if was_large {
        expect("content of the part", 0x77, part.read(0))?;
        let outcome = pvalidate(bench, page, PageSize::Size2M, Validation::Validate);
        expect("return code for 2 MiB then", FAIL_SIZE_MISMATCH, outcome.registers.rax)?;
    }
    Ok(())
}

fn not_mapped(bench: &mut Bench) -> Verdict {
    let page = bench.guest.memory.unmapped();
    let probe = Probe::Pvalidate { page, size: PageSize::Size4K, validation: Validation::Validate };
    let trap = expect_trap(probe, &bench.probe(probe), ExceptionVector::PAGE_FAULT, 0)?;
    expect("CR2", page.address(), trap.cr2)
}

fn high_bits(bench: &mut Bench) -> Verdict {
    let page = bench.assigned_page(PageSize::Size4K)?;
    let probe = Probe::PvalidateRaw { page, ecx: 0xffff_ff00, edx: 0xffff_ff01 };
    expect_code(&bench.probe(probe), 0, false)?;
    let probe = Probe::PvalidateRaw { page, ecx: 0xffff_ff00, edx: 0xffff_ff00 };
    expect_code(&bench.probe(probe), 0, false)?;
    let probe = Probe::Read(page, 0);
    expect_404(probe, &bench.probe(probe), page.address())
}

fn expect_404(probe: Probe, outcome: &Outcome, address: u64) -> Verdict {
    let code = ExitCode::PAGE_NOT_VALIDATED.0;
    let trap = expect_trap(probe, outcome, ExceptionVector::VMM_COMMUNICATION, code)?;
    expect("CR2", address, trap.cr2)
}

fn not_validated(bench: &mut Bench, probe: fn(Page) -> Probe, offset: u64) -> Verdict {
    let page = bench.assigned_page(PageSize::Size4K)?;
    let probe = probe(page);
    expect_404(probe, &bench.probe(probe), page.address() + offset)
}

fn fetch_before(bench: &mut Bench) -> Verdict {
    let page = bench.assigned_page(PageSize::Size4K)?;
    let code = bench.guest.memory.map_again(page, View::Private, Allowed::Execute);
    let outcome = bench.probe(Probe::Call(code));
    let trap = outcome.trap.map(|trap| (trap.exception(), trap.error_code, trap.rip));
    let expected =
        (ExceptionVector::VMM_COMMUNICATION, ExitCode::PAGE_NOT_VALIDATED.0, code.address());
    expect("exception, code and RIP", Some(expected), trap)
}

fn after_rescinding(bench: &mut Bench) -> Verdict {
    let page = bench.private_page()?;
    page.write(0, 7);
    bench.pvalidate(page, Validation::Rescind)?;
    for probe in [Probe::Read(page, 0), Probe::Write(page, 0, 1)] {
        expect_404(probe, &bench.probe(probe), page.address())?;
    }
    Ok(())
}

fn fetch(bench: &mut Bench) -> Verdict {
    let page = bench.private_page()?;
    page.make_return();
    let code = bench.guest.memory.map_again(page, View::Private, Allowed::Execute);
    expect_done("exception", &bench.probe(Probe::Call(code)))
}

fn shared_view(bench: &mut Bench) -> Verdict {
    const MARK: u64 = 0x5ec2_e75e_c2e7_5ec2;
    let page = bench.private_page()?;
    let shared = bench.guest.memory.map_again(page, View::Shared, Allowed::ReadWrite);
    page.write(0, MARK);
    let outcome = bench.probe(Probe::Read(shared, 0));
    expect_done("exception", &outcome)?;
    require(outcome.registers.rax != MARK, "other content", outcome.registers.rax)
}
