//! What checks work with.

use alloc::format;

use abi_snp::PageSize;
use abi_snp::ghcb::{AssignPage, MsrCall, PageAssignment, RegisterGhcb};
use abi_x86::SIZE_4K;

use crate::ghcb::{Ghcb, call, frame};
use crate::machine::{Guest, Mode, Outcome, Page, Probe, Validation, View};
use crate::verdict::{Verdict, expect, failed};

/// The guest and its means to ask.
pub(crate) struct Bench {
    pub(crate) guest: Guest,
    pub(crate) ghcb: Ghcb,
}

/// Takes a page and makes it shared, by the GHCB MSR.
fn shared_page(guest: &mut Guest) -> Verdict<Page> {
    let page = guest.memory.take(PageSize::Size4K, View::Shared);
    assign(page, PageAssignment::Shared)?;
    Ok(page)
}

/// Makes a page of 4 KiB shared or private, by the GHCB MSR.
pub(crate) fn assign(page: Page, assignment: PageAssignment) -> Verdict {
    request(&AssignPage { frame: frame(page), assignment })
}

/// Asks by the GHCB MSR for something that must succeed.
pub(crate) fn request<C: MsrCall>(what: &C) -> Verdict<C::Answer> {
    call(what).map_err(|error| failed(format!("expected an answer, got: {error}")))
}

impl Bench {
    /// Makes the first shared page, the GHCB, and registers it.
    pub(crate) fn prepare(mut guest: Guest) -> Verdict<Self> {
        let page = shared_page(&mut guest)?;
        request(&RegisterGhcb(frame(page)))?;
        Ok(Self { guest, ghcb: Ghcb(page) })
    }

    /// Runs a probe here, in supervisor mode.
    pub(crate) fn probe(&self, probe: Probe) -> Outcome {
        self.guest.try_out(probe, Mode::Supervisor)
    }

    /// A page that both sides can read and write.
    pub(crate) fn shared_page(&mut self) -> Verdict<Page> {
        shared_page(&mut self.guest)
    }

    /// A page that was made private, not yet validated.
    pub(crate) fn assigned_page(&mut self, size: PageSize) -> Verdict<Page> {
        let page = self.guest.memory.take(size, View::Private);
        for index in 0..u64::from(size.small_pages()) {
            let part = page.gpa() + index * SIZE_4K;
            let frame = abi_snp::ghcb::GuestFrame::at(part).expect("parts are aligned");
            request(&AssignPage { frame, assignment: PageAssignment::Private })?;
        }
        Ok(page)
    }

    /// A private page of 4 KiB, validated.
    pub(crate) fn private_page(&mut self) -> Verdict<Page> {
        let page = self.assigned_page(PageSize::Size4K)?;
        self.validate(page)?;
        Ok(page)
    }

    /// Validates a page.
    pub(crate) fn validate(&self, page: Page) -> Verdict {
        self.pvalidate(page, Validation::Validate)
    }

    /// PVALIDATE that must change the page's state.
    pub(crate) fn pvalidate(&self, page: Page, validation: Validation) -> Verdict {
        let outcome = self.probe(Probe::Pvalidate { page, size: page.size(), validation });
        expect("exception of PVALIDATE", None, outcome.trap)?;
        expect("return code of PVALIDATE", 0, outcome.registers.rax)?;
        expect("carry of PVALIDATE", false, outcome.carry())
    }
}
