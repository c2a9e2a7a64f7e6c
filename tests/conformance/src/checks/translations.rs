//! INVLPGB and TLBSYNC: all processors forget translations.
//!
//! That they have forgotten cannot be seen from inside where nothing is ever
//! remembered, as in the simulator: these checks are about operands.

use abi_snp::CpuidEntry;
use abi_x86::ExceptionVector;

use super::check::Check;
use crate::bench::{Bench, expect_done, expect_trap};
use crate::machine::{Mode, Probe};
use crate::verdict::{Verdict, skip};

const SOURCE: &str = "Linux arch/x86/include/asm/tlb.h; APM 24593 section 5.5.3";
const REFUSALS: &str = "from memory of APM 24594 INVLPGB, TLBSYNC";

/// Sizes and features: bit 3 of EBX for both instructions, the lower half of EDX
/// for the number of pages besides the first.
const ADDRESSES: u32 = 0x8000_0008;
const INVLPGB: u32 = 1 << 3;

/// RAX: by address; of the address space that is given; global ones, too.
const BY_ADDRESS: u64 = 1 << 0;
const BY_ADDRESS_SPACE: u64 = 1 << 2;
const GLOBALS: u64 = 1 << 3;

const EVERYTHING: Probe = invlpgb(BY_ADDRESS_SPACE | GLOBALS, 0);

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "translations/forget-all",
        source: SOURCE,
        hardware: "INVLPGB of everything and TLBSYNC end, and change no register",
        run: forget_all,
    },
    Check {
        name: "translations/forget-pages",
        source: SOURCE,
        hardware: "INVLPGB takes as many pages as CPUID says",
        run: forget_pages,
    },
    Check {
        name: "translations/address-space",
        source: "Linux commit 0896acd80782",
        hardware: "a guest that names an address space gets its own: no exception",
        run: |bench| {
            most_further_pages(bench)?;
            let probe = Probe::Invlpgb { rax: BY_ADDRESS_SPACE, ecx: 0, edx: 5 };
            expect_done("INVLPGB", &bench.probe(probe))
        },
    },
    Check {
        name: "translations/too-many-pages",
        source: REFUSALS,
        hardware: "INVLPGB of one page more than CPUID says is #GP(0)",
        run: |bench| {
            let further = most_further_pages(bench)?;
            protected(bench, invlpgb(BY_ADDRESS | GLOBALS, further + 1), Mode::Supervisor)
        },
    },
    Check {
        name: "translations/reserved",
        source: REFUSALS,
        hardware: "INVLPGB with bit 6 of RAX set is #GP(0)",
        run: |bench| {
            most_further_pages(bench)?;
            protected(bench, invlpgb(GLOBALS | 1 << 6, 0), Mode::Supervisor)
        },
    },
    Check {
        name: "translations/user-mode",
        source: REFUSALS,
        hardware: "INVLPGB and TLBSYNC are #GP(0) in user mode",
        run: |bench| {
            most_further_pages(bench)?;
            protected(bench, EVERYTHING, Mode::User)?;
            protected(bench, Probe::Tlbsync, Mode::User)
        },
    },
    Check {
        name: "translations/hidden",
        source: "from memory of APM 24593 appendix B, offset 0x90: bit 7 enables them in a guest",
        hardware: "where CPUID does not show them, INVLPGB and TLBSYNC are #UD",
        run: hidden,
    },
];

const fn invlpgb(rax: u64, ecx: u64) -> Probe {
    Probe::Invlpgb { rax, ecx, edx: 0 }
}

/// What CPUID says of INVLPGB, if it shows it.
fn shown(bench: &Bench) -> Option<&CpuidEntry> {
    let entries = bench.guest.cpuid.entries()?;
    entries.iter().find(|entry| entry.eax_in == ADDRESSES && entry.ebx & INVLPGB != 0)
}

/// How many pages INVLPGB takes besides the first, where there is INVLPGB.
fn most_further_pages(bench: &Bench) -> Verdict<u64> {
    match shown(bench) {
        Some(entry) => Ok(u64::from(entry.edx & 0xffff)),
        None => skip("the processor has no INVLPGB, or the hypervisor hides it"),
    }
}

fn forget_all(bench: &mut Bench) -> Verdict {
    most_further_pages(bench)?;
    expect_done("INVLPGB", &bench.probe(EVERYTHING))?;
    expect_done("TLBSYNC", &bench.probe(Probe::Tlbsync))
}

fn forget_pages(bench: &mut Bench) -> Verdict {
    let further = most_further_pages(bench)?;
    let page = bench.private_page()?;
    let probe = invlpgb(page.address() | BY_ADDRESS | BY_ADDRESS_SPACE | GLOBALS, further);
    expect_done("INVLPGB", &bench.probe(probe))?;
    expect_done("TLBSYNC", &bench.probe(Probe::Tlbsync))
}

fn protected(bench: &Bench, probe: Probe, mode: Mode) -> Verdict {
    let outcome = bench.guest.try_out(probe, mode);
    expect_trap(probe, &outcome, ExceptionVector::GENERAL_PROTECTION, 0).map(drop)
}

fn hidden(bench: &mut Bench) -> Verdict {
    if shown(bench).is_some() {
        return skip("the processor has INVLPGB");
    }
    for probe in [EVERYTHING, Probe::Tlbsync] {
        let outcome = bench.probe(probe);
        expect_trap(probe, &outcome, ExceptionVector::INVALID_OPCODE, 0)?;
    }
    Ok(())
}
