//! Accesses that the reverse map forbids: nested page faults that the
//! hypervisor can do nothing about.

use abi_snp::PageSize;

use super::ending::{Ending, Expected, announce};
use crate::bench::Bench;
use crate::machine::{Allowed, Probe, Validation, View};
use crate::verdict::Verdict;

const SOURCE: &str = "APM 24593 §15.36.10, table 15-39";

pub(super) const ENDINGS: &[Ending] = &[
    Ending {
        name: "shared-write-to-private-page",
        source: SOURCE,
        hardware: "a write without C-bit to a page of the guest is a nested page fault; \
                   Linux/KVM makes the page shared, and the write succeeds",
        processors: 1,
        run: shared_write,
    },
    Ending {
        name: "private-read-of-shared-page",
        source: SOURCE,
        hardware: "a read with C-bit of a page of the hypervisor is a nested page fault; \
                   Linux/KVM makes the page private, and the guest gets #VC with code 404",
        processors: 1,
        run: private_read,
    },
    Ending {
        name: "private-read-outside-memory",
        source: SOURCE,
        hardware: "a read with C-bit where the guest has no memory is a nested page fault",
        processors: 1,
        run: outside,
    },
    Ending {
        name: "pvalidate-of-shared-page",
        source: "APM 24594 PVALIDATE; APM 24593 §15.36.10",
        hardware: "PVALIDATE of a page of the hypervisor is a nested page fault; Linux/KVM makes \
                   the page private, and PVALIDATE succeeds",
        processors: 1,
        run: pvalidate_shared,
    },
];

fn shared_write(bench: &mut Bench) -> Verdict {
    let page = bench.private_page()?;
    let shared = bench.guest.memory.map_again(page, View::Shared, Allowed::ReadWrite);
    announce(Expected::NestedFault(page.gpa() + 0x40));
    bench.probe(Probe::Write(shared, 0x40, 1));
    Ok(())
}

fn private_read(bench: &mut Bench) -> Verdict {
    let page = bench.shared_page()?;
    let private = bench.guest.memory.map_again(page, View::Private, Allowed::ReadWrite);
    announce(Expected::NestedFault(page.gpa() + 0x40));
    bench.probe(Probe::Read(private, 0x40));
    Ok(())
}

fn outside(bench: &mut Bench) -> Verdict {
    const NO_MEMORY: u64 = 1 << 45;
    let page = bench.guest.memory.map_outside(NO_MEMORY, View::Private);
    announce(Expected::NestedFault(NO_MEMORY));
    bench.probe(Probe::Read(page, 0));
    Ok(())
}

fn pvalidate_shared(bench: &mut Bench) -> Verdict {
    let page = bench.shared_page()?;
    let private = bench.guest.memory.map_again(page, View::Private, Allowed::ReadWrite);
    announce(Expected::NestedFault(page.gpa()));
    let (page, size) = (private, PageSize::Size4K);
    bench.probe(Probe::Pvalidate { page, size, validation: Validation::Validate });
    Ok(())
}
