//! Messages to the security processor and back, by way of the host.
//!
//! The host gets a page with a sealed message and returns one, with certificates
//! on request [GHCB 56421 2.04 §4.1, "SNP Guest Request" and "SNP Extended Guest
//! Request"]. What is in the messages, and whether an answer is one, is the
//! business of whoever seals them: here is no key. What the host says of its own
//! part is checked and told; to ask again, and how often, is the caller's
//! decision, who may pause in between.

use core::fmt;

use abi_boot::Platform;
use abi_snp::GuestMessage;
use abi_snp::ghcb::{ExitCode, GuestRequestStatus, NaeOutputs, SaveArea, ValidFields};
use zerocopy::IntoBytes;

use super::ghcb::Ghcb;
use crate::carry_error::{CarryError, NoCarrierError};
use crate::image::boot_block;
use crate::memory::{ShareError, SharedPages};
use crate::sync::mask;

/// Where in the shared pages the response is, and where the request.
const RESPONSE: usize = 0;
const REQUEST: usize = size_of::<GuestMessage>();

/// Pages that messages go through: for one conversation, message by message.
pub struct MessageCarrier {
    /// One page for responses and one for requests.
    messages: SharedPages,
    /// Where the host puts certificates.
    certificates: Option<SharedPages>,
}

impl MessageCarrier {
    /// Takes two pages and shares them with the host.
    ///
    /// # Errors
    ///
    /// See [`NoCarrierError`].
    pub fn new() -> Result<Self, NoCarrierError> {
        if boot_block().platform != Platform::SNP {
            return Err(NoCarrierError::Unsupported);
        }
        Ok(Self { messages: SharedPages::allocate(2)?, certificates: None })
    }

    /// Has the host pass `message` on, and copies the page that comes back to
    /// `reply`, whatever that is.
    ///
    /// # Errors
    ///
    /// What the host says; `reply` is as it was.
    pub fn exchange(
        &mut self,
        message: &GuestMessage,
        reply: &mut GuestMessage,
    ) -> Result<(), CarryError> {
        self.send(message, reply, self.event(ExitCode::SNP_GUEST_REQUEST))
    }

    /// As [`exchange`](Self::exchange), for a message that asks for a report: the
    /// host adds certificates, if there is room for them
    /// ([`make_room`](Self::make_room)).
    ///
    /// # Errors
    ///
    /// What the host says; `reply` is as it was.
    pub fn exchange_for_certificates(
        &mut self,
        message: &GuestMessage,
        reply: &mut GuestMessage,
    ) -> Result<(), CarryError> {
        // A host without certificates writes nothing, which must not look as if
        // it had written those of the last time.
        let certificates = self.certificates.as_ref();
        certificates.into_iter().for_each(|pages| pages.write(0, &[0; TABLE_END_SIZE]));
        let event = SaveArea {
            rax: Some(certificates.map_or(0, SharedPages::address)),
            rbx: Some(u64::from(self.certificate_pages())),
            ..self.event(ExitCode::SNP_EXTENDED_GUEST_REQUEST)
        };
        self.send(message, reply, event)
    }

    /// Makes room for `count` pages of certificates, in place of what there was.
    ///
    /// # Errors
    ///
    /// There are no such pages; then there is no room at all.
    pub fn make_room(&mut self, count: u32) -> Result<(), ShareError> {
        self.certificates = None;
        self.certificates = Some(SharedPages::allocate(count)?);
        Ok(())
    }

    /// How many pages of certificates there is room for.
    #[must_use]
    pub fn certificate_pages(&self) -> u32 {
        self.certificates.as_ref().map_or(0, SharedPages::count)
    }

    /// Copies the pages for certificates, from their start on, to `to`. The host
    /// can change them at any time: judge the copy.
    ///
    /// # Panics
    ///
    /// If `to` is larger than the [pages](Self::certificate_pages) that there are.
    pub fn read_certificates(&self, to: &mut [u8]) {
        match &self.certificates {
            Some(pages) => pages.read(0, to),
            None => assert!(to.is_empty(), "there are no pages for certificates"),
        }
    }

    fn event(&self, code: ExitCode) -> SaveArea {
        let gpa = |offset| self.messages.address() + offset as u64;
        SaveArea::request(code.0, gpa(REQUEST), gpa(RESPONSE))
    }

    fn send(
        &mut self,
        message: &GuestMessage,
        reply: &mut GuestMessage,
        event: SaveArea,
    ) -> Result<(), CarryError> {
        self.messages.write(REQUEST, message.as_bytes());
        let answer = {
            let masked = mask();
            let Some(ghcb) = Ghcb::of_this_processor(&masked) else {
                unreachable!("every processor has its page before it runs anything else")
            };
            ghcb.exchange(&event)
        };
        check(&answer)?;
        self.messages.read(RESPONSE, reply.as_mut_bytes());
        Ok(())
    }
}

/// Bytes of the entry that ends a table of certificates.
const TABLE_END_SIZE: usize = 0x18;

/// Whether the host says that a reply is there.
fn check(answer: &SaveArea) -> Result<(), CarryError> {
    let outputs = NaeOutputs::check(answer, ValidFields::EXIT_INFO_2)?;
    let status = GuestRequestStatus::decode(outputs.exit_info_2);
    match status {
        GuestRequestStatus::SUCCESS => Ok(()),
        GuestRequestStatus { hypervisor_error: 0, firmware_status } => {
            Err(CarryError::Refused(firmware_status))
        }
        GuestRequestStatus { hypervisor_error: GuestRequestStatus::BUSY, .. } => {
            Err(CarryError::Busy)
        }
        GuestRequestStatus { hypervisor_error: GuestRequestStatus::INVALID_LENGTH, .. } => {
            let needed = NaeOutputs::check(answer, ValidFields::RBX)?.rbx;
            Err(CarryError::TooFewPages(needed))
        }
        GuestRequestStatus { hypervisor_error, .. } => Err(CarryError::Unknown(hypervisor_error)),
    }
}

impl fmt::Debug for MessageCarrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageCarrier")
            .field("messages", &self.messages)
            .field("certificates", &self.certificates)
            .finish()
    }
}
