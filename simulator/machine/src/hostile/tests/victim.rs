//! A guest for tests whose host follows a scenario.

use abi_snp::Vmpl;
use abi_snp::ghcb::{MsrCall, MsrCallError, MsrRequest, SaveArea};

use crate::ghcb::Answer;
use crate::ghcb::test_guest::TestGuest;
use crate::gpa::Gpa;
use crate::hostile::exchange::serve;
use crate::hostile::scenario::{Machine, Scenario};
use crate::processors::{ProcessorIndex, Target};

/// The level that makes the requests.
pub(super) const BOOT: Target = Target { processor: ProcessorIndex::BOOT, vmpl: Vmpl::Vmpl0 };

/// A scenario for a machine with 4 processors and memory below 16 MiB.
pub(super) fn scenario(text: &str) -> Scenario {
    let machine = Machine { processors: 4, has_memory: &|gpa: Gpa| gpa.0 < 16 << 20 };
    Scenario::parse(text, &machine).unwrap()
}

pub(super) struct Victim {
    pub(super) guest: TestGuest,
    pub(super) scenario: Scenario,
}

impl Victim {
    /// A guest with a registered page, before the scenario begins.
    pub(super) fn of(text: &str) -> Self {
        Self { guest: TestGuest::new(), scenario: scenario(text) }
    }

    pub(super) fn exit(&mut self, ghcb_msr: u64) -> Answer {
        let TestGuest { server, host, processor, .. } = &mut self.guest;
        serve(&mut self.scenario, server, *processor, ghcb_msr, host)
    }

    /// A call by the MSR.
    pub(super) fn call<C: MsrCall>(&mut self, call: C) -> Result<C::Answer, MsrCallError> {
        let answer = self.exit(call.request().encode());
        call.answer(answer.ghcb_msr)
    }

    /// A request by the page, and what the page says then.
    pub(super) fn ask(&mut self, request: SaveArea) -> SaveArea {
        self.guest.prepare(&request);
        self.exit(MsrRequest::Ghcb(self.guest.ghcb).encode());
        self.guest.page()
    }

    /// How often each rule was done and failed.
    pub(super) fn counts(&self) -> alloc::vec::Vec<(u64, u64)> {
        self.scenario.counts().map(|count| (count.done, count.failed)).collect()
    }
}
