//! What the guest is told about itself: SEV_STATUS, CPUID page, C-bit.

use abi_snp::ghcb::AskSevInformation;
use abi_x86::Msr;

use super::check::Check;
use crate::bench::{Bench, request};
use crate::machine::Probe;
use crate::verdict::{Verdict, expect, require};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "identity/sev-status",
        source: "APM 24593 §15.34.10",
        hardware: "SEV_STATUS reads without an exception and has SEV, SEV-ES and SEV-SNP set",
        run: sev_status,
    },
    Check {
        name: "identity/cpuid-page",
        source: "SNP ABI 56860 §8.14.2.6",
        hardware: "the CPUID page holds 1 to 64 leaves, no leaf twice, leaf 0 among them",
        run: cpuid_page,
    },
    Check {
        name: "identity/c-bit",
        source: "APM 24593 §15.34.1; GHCB 56421 2.04 §2.3.1",
        hardware: "leaf 8000_001F of the CPUID page, the GHCB protocol and the page tables that \
                   this guest runs on agree on the C-bit",
        run: c_bit,
    },
];

fn sev_status(bench: &mut Bench) -> Verdict {
    let outcome = bench.probe(Probe::ReadMsr(Msr::SEV_STATUS));
    expect("exception", None, outcome.trap)?;
    expect("SEV, SEV-ES, SEV-SNP", 7, outcome.edx_eax() & 7)?;
    require(outcome.others_kept, "other registers kept", outcome.registers)
}

fn cpuid_page(bench: &mut Bench) -> Verdict {
    let entries = bench.guest.cpuid.entries();
    let Some(entries) = entries.filter(|entries| !entries.is_empty()) else {
        return require(false, "1 to 64 leaves", entries.map(<[_]>::len));
    };
    let key =
        |entry: &abi_snp::CpuidEntry| (entry.eax_in, entry.ecx_in, entry.xcr0_in, entry.xss_in);
    for (index, entry) in entries.iter().enumerate() {
        let earlier = entries.iter().take(index).find(|other| key(other) == key(entry));
        require(earlier.is_none(), "each leaf once", entry)?;
    }
    let has_leaf_0 = entries.iter().any(|entry| entry.eax_in == 0 && entry.eax != 0);
    require(has_leaf_0, "leaf 0 with a highest leaf", entries.first())
}

fn c_bit(bench: &mut Bench) -> Verdict {
    let entries = bench.guest.cpuid.entries().unwrap_or_default();
    let leaf = entries.iter().find(|entry| entry.eax_in == 0x8000_001f);
    let Some(leaf) = leaf else {
        return require(false, "leaf 8000_001F in the CPUID page", entries.len());
    };
    let information = request(&AskSevInformation)?;
    expect("C-bit of the CPUID page", leaf.ebx & 0x3f, information.c_bit.into())?;
    expect("C-bit of the page tables", bench.guest.memory.c_bit_mask(), 1 << information.c_bit)
}
