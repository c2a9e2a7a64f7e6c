//! The one conversation of this machine, which tasks take in turns.
//!
//! Whoever asks takes the conversation, and puts it back with the answer. A
//! message can take milliseconds, and much longer if the host wants: so no lock
//! is held meanwhile, and others wait as tasks do.

use abi_snp::{
    AttestationReport, DerivedKey, DerivedKeyRequest, KeySelection, ReportRequest, SecretsPage,
    TscInfo, TscInfoRequest, VmpckId, Vmpl,
};
use alloc::boxed::Box;
use core::mem;
use hal::OutOfMemory;
use hal::heap::try_box;
use hal::security_processor::{MessageCarrier, NoCarrierError};
use kernel_log::log_for_host;
use tasks::WaitQueue;
use zerocopy::IntoBytes;
use zeroize::Zeroize;

use crate::certificates::Certificates;
use crate::conversation::{BeginError, Conversation};
use crate::error::RequestError;

/// The module's key: that of its own level.
const KEY: VmpckId = VmpckId(0);

/// The key of the level between the module and its guest, where nothing runs.
const UNUSED_KEY: usize = 1;

/// The conversation of this machine.
type Ours = Box<Conversation<MessageCarrier>>;

/// Where the conversation is.
enum Place {
    /// There is none.
    Nowhere,
    /// Here, for whoever wants to ask.
    Here(Ours),
    /// Somebody asks.
    Away,
}

impl Place {
    /// The conversation, if it is here; `None` if it will be.
    fn take(&mut self) -> Option<Result<Ours, RequestError>> {
        match mem::replace(self, Self::Away) {
            Self::Here(conversation) => Some(Ok(conversation)),
            Self::Away => None,
            Self::Nowhere => {
                *self = Self::Nowhere;
                Some(Err(RequestError::Unavailable))
            }
        }
    }
}

static PLACE: WaitQueue<Place> = WaitQueue::new(Place::Nowhere);

/// Begins the conversation, with the module's key out of the secrets page. The
/// key of the level below, where nothing runs, is wiped as well; those of the
/// guest's levels are left where they are.
///
/// Once, before other processors start. If it cannot begin, the log says why, and
/// all requests are refused.
pub fn start(secrets: &mut SecretsPage) {
    if let Some(key) = secrets.vmpck.get_mut(UNUSED_KEY) {
        key.as_mut_bytes().zeroize();
    }
    match begin(secrets) {
        Ok(conversation) => put_back(conversation),
        Err(error) => {
            log_for_host!(Error, "messages to the security processor are not possible: {error}");
        }
    }
}

fn begin(secrets: &mut SecretsPage) -> Result<Ours, StartError> {
    let conversation = Conversation::new(secrets, KEY, MessageCarrier::new()?)?;
    Ok(try_box(conversation)?)
}

/// Why there is no conversation on this machine.
#[derive(Debug, thiserror::Error)]
enum StartError {
    #[error(transparent)]
    Carrier(#[from] NoCarrierError),
    #[error(transparent)]
    Begin(#[from] BeginError),
    #[error(transparent)]
    OutOfMemory(#[from] OutOfMemory),
}

/// A report about the module's level, VMPL0, that holds `data`.
///
/// Waits for the host, and for others who ask: not to be called with a lock held.
///
/// # Errors
///
/// See [`RequestError`].
pub fn report(data: [u8; 64]) -> Result<AttestationReport, RequestError> {
    let response = converse(|conversation| conversation.ask(&report_request(data)))?;
    Ok(*response.report()?)
}

/// As [`report`], with the host's certificates for the key that signs it.
///
/// # Errors
///
/// See [`RequestError`].
pub fn report_with_certificates(
    data: [u8; 64],
) -> Result<(AttestationReport, Certificates), RequestError> {
    let request = report_request(data);
    let (response, certificates) =
        converse(|conversation| conversation.ask_with_certificates(&request))?;
    Ok((*response.report()?, certificates))
}

fn report_request(data: [u8; 64]) -> ReportRequest {
    ReportRequest::new(data, Vmpl::Vmpl0.number().into(), KeySelection::ANY)
}

/// A key that the security processor derives for this guest.
///
/// Waits like [`report`].
///
/// # Errors
///
/// See [`RequestError`].
pub fn derived_key(request: &DerivedKeyRequest) -> Result<DerivedKey, RequestError> {
    let response = converse(|conversation| conversation.ask(request))?;
    response.into_key().map_err(RequestError::Refused)
}

/// How the time stamp counters of this guest's processors run, with Secure TSC.
///
/// Waits like [`report`].
///
/// # Errors
///
/// See [`RequestError`].
pub fn time_stamp_parameters() -> Result<TscInfo, RequestError> {
    let response = converse(|conversation| conversation.ask(&TscInfoRequest::new()))?;
    response.info().map_err(RequestError::Refused)
}

/// Takes the conversation, asks, and puts it back.
fn converse<T>(
    ask: impl FnOnce(&mut Conversation<MessageCarrier>) -> Result<T, RequestError>,
) -> Result<T, RequestError> {
    // The start asks before there are tasks, and is the only one then.
    let taken = PLACE.with(Place::take).unwrap_or_else(|| PLACE.wait(Place::take));
    let mut conversation = taken?;
    let answer = ask(&mut conversation);
    put_back(conversation);
    answer
}

fn put_back(conversation: Ours) {
    PLACE.change_and_wake_one(|place| *place = Place::Here(conversation));
}
