//! Addresses in registers and structures that no call may follow.

use abi_svsm::attestation::{AttestationCall, Location, ServicesRequest};
use abi_svsm::core_protocol::CoreCallNumber;
use abi_svsm::{CallRegisters, ListAddress, Protocol, ResultCode};
use abi_x86::SIZE_4K;
use alloc::format;
use zerocopy::IntoBytes;

use super::foreign::{foreign_pages, unreachable_pages};
use super::format::{by_number, core};
use crate::bench::Bench;
use crate::caller::write_list;
use crate::checks::Check;
use crate::machine::Page;
use crate::verdict::Verdict;

const PARAMETER: ResultCode = ResultCode::INVALID_PARAMETER;
const ADDRESS: ResultCode = ResultCode::INVALID_ADDRESS;

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "calls/unaligned-pages",
        source: "SVSM 58019 §6.1 to §6.4",
        hardware: "the address of a page is a multiple of 4096, or an invalid parameter",
        run: unaligned_pages,
    },
    Check {
        name: "calls/unaligned-lists",
        source: "SVSM 58019 §6.2, §6.5, §6.6, §7.1",
        hardware: "the address of a list or structure is a multiple of 8, or an invalid parameter",
        run: unaligned_lists,
    },
    Check {
        name: "calls/structures-behind-the-page",
        source: "SVSM 58019 §6.2, §7.1",
        hardware: "a list or structure ends with its page, or is an invalid parameter",
        run: behind_the_page,
    },
    Check {
        name: "remap/foreign-pages",
        source: "SVSM 58019 §6.1",
        hardware: "the calling area does not move to a page that is not the guest's",
        run: |bench| foreign_page(bench, |gpa| core(CoreCallNumber::REMAP_CALLING_AREA, gpa)),
    },
    Check {
        name: "validate/foreign-lists",
        source: "SVSM 58019 §6.2",
        hardware: "no list is read from a page that is not the guest's",
        run: |bench| foreign_list(bench, CoreCallNumber::VALIDATE),
    },
    Check {
        name: "deposit/foreign-lists",
        source: "SVSM 58019 §6.5",
        hardware: "no list is read from a page that is not the guest's",
        run: |bench| foreign_list(bench, CoreCallNumber::DEPOSIT_MEMORY),
    },
    Check {
        name: "withdraw/foreign-lists",
        source: "SVSM 58019 §6.6",
        hardware: "no list is written to a page that is not the guest's",
        run: |bench| foreign_list(bench, CoreCallNumber::WITHDRAW_MEMORY),
    },
    Check {
        name: "create/foreign-save-areas",
        source: "SVSM 58019 §6.3",
        hardware: "no page becomes a save area that is not the guest's",
        run: foreign_save_area,
    },
    Check {
        name: "create/foreign-calling-areas",
        source: "SVSM 58019 §6.3",
        hardware: "no page becomes a calling area that is not the guest's",
        run: foreign_calling_area,
    },
    Check {
        name: "delete/no-save-areas",
        source: "SVSM 58019 §6.4",
        hardware: "a page that is no save area of the guest's cannot be deleted",
        run: no_save_area,
    },
    Check {
        name: "attest/foreign-requests",
        source: "SVSM 58019 §7.1",
        hardware: "no request is read from a page that is not the guest's",
        run: |bench| {
            foreign_page(bench, |gpa| by_number(Protocol::ATTESTATION, 0, gpa))?;
            foreign_page(bench, |gpa| by_number(Protocol::ATTESTATION, 1, gpa + 8))
        },
    },
    Check {
        name: "attest/foreign-buffers",
        source: "SVSM 58019 §7.1",
        hardware: "nothing is read from or written to buffers that are not the guest's",
        run: foreign_buffers,
    },
    Check {
        name: "attest/impossible-buffers",
        source: "SVSM 58019 §7.1",
        hardware: "buffers begin with a page, a nonce has 1 to 4096 bytes of one page, or they \
                   are invalid parameters",
        run: impossible_buffers,
    },
    Check {
        name: "validate/foreign-pages",
        source: "SVSM 58019 §6.2",
        hardware: "no page is validated or rescinded that is not the guest's",
        run: foreign_entries,
    },
    Check {
        name: "deposit/foreign-pages",
        source: "SVSM 58019 §6.5",
        hardware: "no page is taken that is not the guest's",
        run: foreign_deposits,
    },
];

fn unaligned_pages(bench: &mut Bench) -> Verdict {
    let page = bench.private_page()?.gpa();
    for distance in [1, 8, 0x800, SIZE_4K - 1] {
        for number in [
            CoreCallNumber::REMAP_CALLING_AREA,
            CoreCallNumber::CREATE_VCPU,
            CoreCallNumber::DELETE_VCPU,
        ] {
            bench.refused("unaligned page", core(number, page + distance), PARAMETER)?;
        }
        let create = core(CoreCallNumber::CREATE_VCPU, page);
        let create = CallRegisters { rdx: page + distance, ..create };
        bench.refused("unaligned calling area", create, PARAMETER)?;
    }
    Ok(())
}

fn unaligned_lists(bench: &mut Bench) -> Verdict {
    let page = bench.private_page()?.gpa();
    for distance in [1, 2, 4, 7, SIZE_4K - 1] {
        for number in [
            CoreCallNumber::VALIDATE,
            CoreCallNumber::DEPOSIT_MEMORY,
            CoreCallNumber::WITHDRAW_MEMORY,
        ] {
            bench.refused("unaligned list", core(number, page + distance), PARAMETER)?;
        }
        for call in [0, 1] {
            let registers = by_number(Protocol::ATTESTATION, call, page + distance);
            bench.refused("unaligned structure", registers, PARAMETER)?;
        }
    }
    Ok(())
}

fn behind_the_page(bench: &mut Bench) -> Verdict {
    let page = bench.private_page()?;
    // The header is the last word of the page, so that no entry fits.
    let last = page.size().bytes() as usize - ListAddress::ENTRY_SIZE;
    page.write(last, 1);
    for number in
        [CoreCallNumber::VALIDATE, CoreCallNumber::DEPOSIT_MEMORY, CoreCallNumber::WITHDRAW_MEMORY]
    {
        bench.refused("list without room", core(number, page.gpa() + last as u64), PARAMETER)?;
    }
    for (call, size) in [(0, 0x40), (1, 0x58)] {
        for distance in [SIZE_4K - 8, SIZE_4K - size + 8] {
            let registers = by_number(Protocol::ATTESTATION, call, page.gpa() + distance);
            bench.refused("structure without room", registers, PARAMETER)?;
        }
    }
    Ok(())
}

/// Has all foreign pages refused as an address in RCX.
fn foreign_page(bench: &mut Bench, call: fn(u64) -> CallRegisters) -> Verdict {
    for page in foreign_pages(bench)? {
        bench.refused(&page.what, call(page.gpa), ADDRESS)?;
    }
    Ok(())
}

fn foreign_list(bench: &mut Bench, number: CoreCallNumber) -> Verdict {
    for page in foreign_pages(bench)? {
        for offset in [0, 8, 0xff0] {
            bench.refused(&page.what, core(number, page.gpa + offset), ADDRESS)?;
        }
    }
    Ok(())
}

fn foreign_save_area(bench: &mut Bench) -> Verdict {
    let area = bench.private_page()?.gpa();
    for page in foreign_pages(bench)? {
        let create = core(CoreCallNumber::CREATE_VCPU, page.gpa);
        bench.refused(&page.what, CallRegisters { rdx: area, ..create }, ADDRESS)?;
    }
    let own = bench.caller().area(0).gpa();
    let create = core(CoreCallNumber::CREATE_VCPU, own);
    bench.refused("the own calling area", CallRegisters { rdx: area, ..create }, ADDRESS)
}

fn foreign_calling_area(bench: &mut Bench) -> Verdict {
    let save_area = bench.idle_vcpu_page(|_| {})?.gpa();
    let create = core(CoreCallNumber::CREATE_VCPU, save_area);
    for page in foreign_pages(bench)? {
        bench.refused(&page.what, CallRegisters { rdx: page.gpa, ..create }, ADDRESS)?;
    }
    let same = CallRegisters { rdx: save_area, ..create };
    bench.refused("the save area itself", same, ADDRESS)
}

fn no_save_area(bench: &mut Bench) -> Verdict {
    let mut pages = foreign_pages(bench)?;
    let ordinary = bench.private_page()?.gpa();
    // Deleting what runs ends the guest.
    pages.retain(|page| !page.what.starts_with("save area"));
    for gpa in pages.iter().map(|page| page.gpa).chain([ordinary, bench.caller().area(0).gpa()]) {
        let call = core(CoreCallNumber::DELETE_VCPU, gpa);
        bench.refused(&format!("page {gpa:#x}"), call, PARAMETER)?;
    }
    Ok(())
}

/// A request whose buffers are all pages of the guest's.
fn request(bench: &mut Bench) -> Verdict<ServicesRequest> {
    let mut page = |length| -> Verdict<Location> {
        Ok(Location { address: bench.private_page()?.gpa(), length, reserved: 0 })
    };
    Ok(ServicesRequest {
        report: page(4096)?,
        nonce: page(64)?,
        manifest: page(4096)?,
        certificates: Location { address: 0, length: 0, reserved: 0 },
    })
}

/// Writes a request to a page and says how it is asked for.
fn ask(page: Page, request: &ServicesRequest) -> CallRegisters {
    page.store(0, request.as_bytes());
    let at = ListAddress::at(page.gpa()).expect("pages are aligned");
    AttestationCall::Services(at).encode()
}

fn foreign_buffers(bench: &mut Bench) -> Verdict {
    let good = request(bench)?;
    let page = bench.private_page()?;
    for foreign in foreign_pages(bench)? {
        let at = |location: Location| Location { address: foreign.gpa, ..location };
        for (buffer, request) in [
            ("nonce", ServicesRequest { nonce: at(good.nonce), ..good }),
            ("report", ServicesRequest { report: at(good.report), ..good }),
            ("manifest", ServicesRequest { manifest: at(good.manifest), ..good }),
        ] {
            let what = format!("{buffer}: {}", foreign.what);
            bench.refused(&what, ask(page, &request), ADDRESS)?;
        }
    }
    Ok(())
}

fn impossible_buffers(bench: &mut Bench) -> Verdict {
    let good = request(bench)?;
    let page = bench.private_page()?;
    let moved = |location: Location, by: u64| Location {
        address: location.address.wrapping_add(by),
        ..location
    };
    let nonce = |length| Location { length, ..good.nonce };
    for (what, request) in [
        ("no nonce", ServicesRequest { nonce: nonce(0), ..good }),
        ("a nonce of 4097 bytes", ServicesRequest { nonce: nonce(4097), ..good }),
        ("the longest nonce", ServicesRequest { nonce: nonce(u32::MAX), ..good }),
        ("a nonce in two pages", ServicesRequest { nonce: moved(nonce(64), 4033), ..good }),
        ("an unaligned report", ServicesRequest { report: moved(good.report, 8), ..good }),
        ("an unaligned manifest", ServicesRequest { manifest: moved(good.manifest, 1), ..good }),
    ] {
        bench.refused(what, ask(page, &request), PARAMETER)?;
    }
    Ok(())
}

fn foreign_entries(bench: &mut Bench) -> Verdict {
    let mut pages = unreachable_pages(bench)?;
    let own = bench.caller().area(0).gpa();
    for page in &pages {
        // A calling area is validated: to do it again would be no error.
        let is_validated = page.what.starts_with("calling area");
        for flags in [0, 4, 8, 0xc].into_iter().filter(|flags| !is_validated || *flags != 4) {
            let words = [page.gpa | flags];
            refused_entry(bench, &page.what, flags, &words)?;
        }
    }
    for flags in [0, 8, 0xc] {
        refused_entry(bench, "the own calling area", flags, &[own | flags])?;
    }
    // Whole pages of 2 MiB that are the module's.
    pages.retain(|page| page.gpa.is_multiple_of(abi_x86::SIZE_2M));
    for page in &pages {
        for flags in [1, 5, 9, 0xd] {
            refused_entry(bench, &page.what, flags, &[page.gpa | flags])?;
        }
    }
    Ok(())
}

/// An entry must be refused as an invalid address, and not be counted as done.
fn refused_entry(bench: &Bench, what: &str, flags: u64, words: &[u64]) -> Verdict {
    let got = bench.caller().validate_words(&bench.guest, words)?;
    crate::verdict::expect(&format!("{what}, flags {flags:#x}"), (ADDRESS, 0), got)
}

fn foreign_deposits(bench: &mut Bench) -> Verdict {
    let list = bench.private_page()?;
    for page in foreign_pages(bench)? {
        let address = write_list(list, 0, &[page.gpa]).address();
        let deposit = core(CoreCallNumber::DEPOSIT_MEMORY, address);
        bench.refused(&page.what, deposit, ADDRESS)?;
    }
    Ok(())
}
