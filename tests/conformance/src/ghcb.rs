//! Requests to the hypervisor, by the GHCB MSR and by the page.

use abi_snp::ghcb::{
    Ghcb as GhcbPage, GuestFrame, MsrCall, MsrCallError, NaeError, NaeOutputs, PROTOCOL_VERSION,
    SaveArea, ValidFields,
};

use crate::machine::{Page, exit};

/// A GHCB page, shared with the host.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ghcb(pub(crate) Page);

/// Asks by the GHCB MSR.
pub(crate) fn call<C: MsrCall>(call: &C) -> Result<C::Answer, MsrCallError> {
    call.answer(exit(call.request().encode()))
}

/// The number of a page that was handed out.
pub(crate) fn frame(page: Page) -> GuestFrame {
    GuestFrame::at(page.gpa()).expect("pages are aligned and below the C-bit")
}

impl Ghcb {
    /// Puts a request into the page, without an exit.
    pub(crate) fn prepare(self, request: &SaveArea) {
        self.set_usage(0);
        request.store(|offset, value| self.0.write(offset, value));
    }

    /// Sets the page's usage, and the protocol's version.
    pub(crate) fn set_usage(self, usage: u32) {
        const LAST: usize = GhcbPage::PROTOCOL_VERSION_OFFSET & !7;
        let version = u64::from(PROTOCOL_VERSION) << (8 * (GhcbPage::PROTOCOL_VERSION_OFFSET % 8));
        let usage = u64::from(usage) << (8 * (GhcbPage::USAGE_OFFSET % 8));
        self.0.write(LAST, usage | version);
    }

    /// Exits with what is in the page, and gives what is there then.
    pub(crate) fn exit(self) -> SaveArea {
        exit(self.0.gpa());
        SaveArea::load(|offset| self.0.read(offset))
    }

    /// Asks for an event and gives the answer as it is.
    pub(crate) fn answer(self, request: &SaveArea) -> SaveArea {
        self.prepare(request);
        self.exit()
    }

    /// Asks for an event that returns `asked`.
    pub(crate) fn ask(
        self,
        request: &SaveArea,
        asked: ValidFields,
    ) -> Result<NaeOutputs, NaeError> {
        NaeOutputs::check(&self.answer(request), asked)
    }

    /// Guest physical address of the buffer in the page.
    pub(crate) fn buffer_gpa(self) -> u64 {
        self.0.gpa() + GhcbPage::SHARED_BUFFER_OFFSET as u64
    }

    /// Copies whole words to the buffer in the page.
    pub(crate) fn fill_buffer(self, bytes: &[u8]) {
        self.0.store(GhcbPage::SHARED_BUFFER_OFFSET, bytes);
    }

    /// Copies whole words from the buffer in the page.
    pub(crate) fn read_buffer(self, bytes: &mut [u8]) {
        self.0.load(GhcbPage::SHARED_BUFFER_OFFSET, bytes);
    }
}
