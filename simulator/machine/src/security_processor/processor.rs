//! The security processor of a guest that runs.

use abi_snp::{
    CpuidRequest, CpuidResponse, DerivedKeyRequest, DerivedKeyResponse, FirmwareStatus,
    GuestMessage, GuestRequest, MessageType, ReportRequest, ReportResponse, TscInfoRequest,
    TscInfoResponse,
};
use snp_messages::{ReceivedRequest, Responder};
use zerocopy::{FromBytes, IntoBytes};

use crate::launch::LaunchedGuest;
use crate::platform::Platform;
use crate::security_processor::derived_key::derived_key;
use crate::security_processor::endorsement_key::EndorsementKeys;
use crate::security_processor::refusal::RequestRefusal;
use crate::security_processor::report::report;

/// The security processor of a platform, with one guest that runs.
#[derive(Debug)]
pub struct SecurityProcessor {
    platform: Platform,
    keys: EndorsementKeys,
    guest: LaunchedGuest,
    responder: Responder,
}

impl SecurityProcessor {
    /// The security processor of `platform`, on which `guest` was launched.
    #[must_use]
    pub fn new(platform: Platform, keys: EndorsementKeys, guest: LaunchedGuest) -> Self {
        let responder = Responder::new(&guest.message_keys());
        Self { platform, keys, guest, responder }
    }

    /// The platform.
    #[must_use]
    pub const fn platform(&self) -> &Platform {
        &self.platform
    }

    /// The guest.
    #[must_use]
    pub const fn guest(&self) -> &LaunchedGuest {
        &self.guest
    }

    /// Answers `request`, a copy of what the host delivers, in `response`,
    /// which is to be copied to where the host gets it. Whether the answer is
    /// yes or no, only the guest learns.
    ///
    /// # Errors
    ///
    /// There is no answer, and the host gets [`RequestRefusal::status`]. The
    /// same request can be sent again; `response` holds nothing to be sent.
    pub fn guest_request(
        &mut self,
        request: &mut GuestMessage,
        response: &mut GuestMessage,
    ) -> Result<(), RequestRefusal> {
        let Self { platform, keys, guest, responder } = self;
        let received = responder.open(request)?;
        let vmpck = received.vmpck();
        let exchange = Exchange { responder, received, response };
        match exchange.received.message_type() {
            MessageType::REPORT_REQUEST => exchange.answer(|request: &ReportRequest| {
                report(platform, keys, guest, vmpck, request)
                    .map_or_else(ReportResponse::refusal, ReportResponse::with_report)
            }),
            MessageType::KEY_REQUEST => exchange.answer(|request: &DerivedKeyRequest| {
                derived_key(platform, keys, guest, vmpck, request)
                    .map_or_else(DerivedKeyResponse::refusal, DerivedKeyResponse::with_key)
            }),
            MessageType::CPUID_REQUEST => {
                exchange.answer(|request| cpuid_response(platform, request))
            }
            MessageType::TSC_INFO_REQUEST => exchange.answer(|request: &TscInfoRequest| {
                if request.is_well_formed() {
                    TscInfoResponse::with_info(guest.tsc)
                } else {
                    TscInfoResponse::refusal(FirmwareStatus::INVALID_PARAMETER)
                }
            }),
            unknown => Err(RequestRefusal::UnknownType(unknown)),
        }
    }
}

/// A request that was opened, and where its answer goes.
struct Exchange<'e> {
    responder: &'e mut Responder,
    received: ReceivedRequest<'e>,
    response: &'e mut GuestMessage,
}

impl Exchange<'_> {
    /// Reads a request of type `R` and answers it with what `answer` makes of
    /// it. What stands behind the request is not looked at.
    fn answer<R: GuestRequest + FromBytes>(
        self,
        answer: impl FnOnce(&R) -> R::Response,
    ) -> Result<(), RequestRefusal> {
        let (message_type, found) = (self.received.message_type(), self.received.message_version());
        if found != R::MESSAGE_VERSION {
            return Err(RequestRefusal::Version { message_type, found, known: R::MESSAGE_VERSION });
        }
        let payload = self.received.payload();
        let (request, _) = R::read_from_prefix(payload).map_err(|_| RequestRefusal::TooShort {
            message_type,
            found: payload.len(),
            least: size_of::<R>(),
        })?;
        let answer = answer(&request);
        Ok(self.responder.seal(self.received, answer.as_bytes(), self.response)?)
    }
}

/// Whether the values in `request` are the processor's.
fn cpuid_response(platform: &Platform, request: &CpuidRequest) -> CpuidResponse {
    let refused = FirmwareStatus::INVALID_PARAMETER;
    let entries = request.entries().filter(|_| request.is_well_formed());
    let response = entries.and_then(|entries| {
        let mut entries = entries.to_vec();
        let (checked, result) = platform.cpuid.check_entries(&mut entries);
        let status = result.map_or_else(|refusal| refusal.status(), |()| FirmwareStatus::SUCCESS);
        CpuidResponse::new(status, checked, &entries)
    });
    response
        .or_else(|| CpuidResponse::new(refused, 0, &[]))
        .unwrap_or_else(|| unreachable!("no entries always fit"))
}
