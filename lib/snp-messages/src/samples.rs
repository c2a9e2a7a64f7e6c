//! Keys, payloads and both ends of a channel, for tests.

use abi_snp::{
    GuestMessage, GuestRequest, KeySelection, MessageType, ReportRequest, SecretsPage, VmpckId,
};
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout};

use crate::{Channel, Responder};

/// The key whose bytes count from 0 to 31.
pub(crate) fn counting_key() -> [u8; 32] {
    core::array::from_fn(|i| i as u8)
}

/// A secrets page with four different keys.
pub(crate) fn secrets() -> SecretsPage {
    let mut secrets = SecretsPage::new_zeroed();
    for (vmpck, first) in secrets.vmpck.iter_mut().zip([0x10_u8, 0x40, 0x70, 0xa0]) {
        for (to, from) in vmpck.as_mut_bytes().iter_mut().zip(first..) {
            *to = from;
        }
    }
    secrets
}

/// Both ends of a guest's channel with VMPCK1.
pub(crate) fn ends() -> (Channel, Responder) {
    let mut secrets = secrets();
    let responder = Responder::new(&secrets.vmpck);
    (Channel::new(&mut secrets, VmpckId(1)).unwrap(), responder)
}

/// A report request whose data is all `byte`.
pub(crate) fn report_request(byte: u8) -> ReportRequest {
    ReportRequest::new([byte; 64], 1, KeySelection::ANY)
}

/// A page that starts with `start` and goes on with `rest`, as a message.
pub(crate) fn page(start: &[u8], rest: u8) -> GuestMessage {
    let mut message = GuestMessage::zeroed();
    let bytes = message.as_mut_bytes();
    bytes.fill(rest);
    bytes[..start.len()].copy_from_slice(start);
    message
}

/// What `channel` sends when it asks for a report.
pub(crate) fn sealed(channel: &mut Channel, byte: u8) -> GuestMessage {
    let mut message = GuestMessage::zeroed();
    channel.seal(&report_request(byte), &mut message).unwrap();
    message
}

/// What `responder` replies to `request`, whatever that asks for.
pub(crate) fn answer(
    responder: &mut Responder,
    request: &GuestMessage,
    response: &[u8],
) -> GuestMessage {
    let mut request = request.clone();
    let received = responder.open(&mut request).unwrap();
    let mut reply = GuestMessage::zeroed();
    responder.seal(received, response, &mut reply).unwrap();
    reply
}

/// A payload of `SIZE` bytes that asks for nothing and gets 32 bytes.
#[derive(IntoBytes, Immutable)]
#[repr(C)]
pub(crate) struct Probe<const SIZE: usize>(pub(crate) [u8; SIZE]);

/// What a [`Probe`] gets.
#[derive(Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct ProbeResponse(pub(crate) [u8; 32]);

impl<const SIZE: usize> GuestRequest for Probe<SIZE> {
    const MESSAGE_TYPE: MessageType = MessageType(0x21);
    const MESSAGE_VERSION: u8 = 3;
    type Response = ProbeResponse;
}
