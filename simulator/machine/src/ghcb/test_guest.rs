//! A guest for tests: it asks and checks answers with the guest's codecs.

use abi_snp::ghcb::{
    Ghcb, GuestFrame, HypervisorFeatures, MsrCall, MsrCallError, MsrRequest, NaeError, NaeOutputs,
    PROTOCOL_VERSION, RegisterGhcb, SaveArea, SevInformation, ValidFields,
};
use abi_snp::{SevFeatures, Vmpl};

use crate::ghcb::answer::{Answer, Next};
use crate::ghcb::configuration::Configuration;
use crate::ghcb::fake_host::FakeHost;
use crate::ghcb::server::Server;
use crate::gpa::Gpa;
use crate::processors::{LaunchState, ProcessorIndex, SaveAreaPage, Target};

/// What the server tells about itself.
pub(crate) const INFORMATION: SevInformation =
    SevInformation { min_version: 1, max_version: 2, c_bit: 51 };

/// What save areas may have.
pub(crate) const FEATURES: SevFeatures =
    SevFeatures::SNP_ACTIVE.union(SevFeatures::RESTRICTED_INJECTION);

/// A guest with its server and host. The boot processor runs VMPL0.
pub(crate) struct TestGuest {
    pub(crate) server: Server,
    pub(crate) host: FakeHost,
    /// Who makes the requests.
    pub(crate) processor: ProcessorIndex,
    /// The page for requests.
    pub(crate) ghcb: GuestFrame,
    /// What followed from the last exit.
    pub(crate) last: Option<Answer>,
}

impl TestGuest {
    /// With all features, four processors and a registered page.
    pub(crate) fn new() -> Self {
        Self::with_features(Configuration::SERVED)
    }

    pub(crate) fn with_features(features: HypervisorFeatures) -> Self {
        let mut this = Self::unregistered(features);
        this.register();
        this
    }

    pub(crate) fn unregistered(features: HypervisorFeatures) -> Self {
        let configuration = Configuration::new(features, INFORMATION).unwrap();
        let mut server = Server::new(configuration, 4, FEATURES).unwrap();
        let processor = ProcessorIndex::BOOT;
        let target = Target { processor, vmpl: Vmpl::Vmpl0 };
        server.processors_mut().launch(target, save_area(0), LaunchState::Runs).unwrap();
        let ghcb = GuestFrame::at(0x3000).unwrap();
        Self { server, host: FakeHost::new(), processor, ghcb, last: None }
    }

    pub(crate) fn register(&mut self) {
        let ghcb = self.ghcb;
        self.call(RegisterGhcb(ghcb)).unwrap();
    }

    /// Exits with `value` in the register.
    pub(crate) fn exit(&mut self, value: u64) -> Answer {
        let answer = self.server.exit(self.processor, value, &mut self.host);
        self.last = Some(answer);
        answer
    }

    /// A call by the MSR that comes back at once.
    pub(crate) fn call<C: MsrCall>(&mut self, call: C) -> Result<C::Answer, MsrCallError> {
        let answer = self.exit(call.request().encode());
        assert_eq!(answer.next, Next::Resume);
        call.answer(answer.ghcb_msr)
    }

    /// Puts `request` into the page.
    pub(crate) fn prepare(&mut self, request: &SaveArea) {
        let page = self.host.bytes_mut(self.ghcb.address(), 0x1000);
        request.store(|offset, value| page[offset..][..8].copy_from_slice(&value.to_le_bytes()));
        page[Ghcb::PROTOCOL_VERSION_OFFSET..][..2].copy_from_slice(&PROTOCOL_VERSION.to_le_bytes());
        page[Ghcb::USAGE_OFFSET..].fill(0);
    }

    /// Exits with the page as it is.
    pub(crate) fn exit_by_page(&mut self) -> Answer {
        let answer = self.exit(MsrRequest::Ghcb(self.ghcb).encode());
        if answer.next == Next::Resume {
            assert_eq!(answer.ghcb_msr, self.ghcb.address(), "the register keeps the page");
        }
        answer
    }

    /// What the page says.
    pub(crate) fn page(&self) -> SaveArea {
        let page = self.host.bytes(self.ghcb.address(), 0x1000);
        SaveArea::load(|offset| u64::from_le_bytes(page[offset..][..8].try_into().unwrap()))
    }

    /// A request by the page that comes back at once.
    pub(crate) fn ask(&mut self, request: SaveArea) -> SaveArea {
        self.prepare(&request);
        assert_eq!(self.exit_by_page().next, Next::Resume);
        self.page()
    }

    /// The same, with a guest's check of the answer: it returns `asked`, and
    /// marks nothing else but the two words that all answers have.
    pub(crate) fn outputs(
        &mut self,
        request: SaveArea,
        asked: ValidFields,
    ) -> Result<NaeOutputs, NaeError> {
        let answer = self.ask(request);
        let outputs = NaeOutputs::check(&answer, asked);
        let always = ValidFields::EXIT_INFO_1 | ValidFields::EXIT_INFO_2;
        let expected = if outputs.is_ok() { asked | always } else { always };
        assert_eq!(answer.valid_fields(), expected);
        outputs
    }

    /// Guest physical address of an offset in the page's own buffer.
    pub(crate) fn buffer(&self, offset: u64) -> u64 {
        self.ghcb.address() + Ghcb::SHARED_BUFFER_OFFSET as u64 + offset
    }
}

/// A save area for a processor, at an address of its own.
pub(crate) fn save_area(number: u64) -> SaveAreaPage {
    SaveAreaPage { gpa: Gpa(0x80_1000 + number * 0x1000), features: SevFeatures::SNP_ACTIVE }
}
