//! What a security processor takes, and what it answers once.

extern crate std;

use std::format;

use abi_snp::MessageMetadata;
use proptest::prelude::*;
use zerocopy::IntoBytes;

use super::*;
use crate::samples::{answer, ends, page, report_request, sealed, secrets};
use crate::{Channel, ChannelState};

/// A request with this metadata, sealed with VMPCK1.
fn request(sequence_number: u64, message_type: u8, message_version: u8) -> GuestMessage {
    let envelope = Envelope {
        sequence_number,
        vmpck: VmpckId(1),
        message_type: MessageType(message_type),
        message_version,
    };
    let mut message = GuestMessage::zeroed();
    MessageKey::copy_of(&secrets().vmpck[1]).seal(envelope, &[0x5a; 32], &mut message).unwrap();
    message
}

fn responder() -> Responder {
    Responder::new(&secrets().vmpck)
}

#[test]
fn request_is_received_as_it_was_sent() {
    let responder = responder();
    let mut message = request(1, 9, 7);
    let received = responder.open(&mut message).unwrap();
    assert_eq!(received.vmpck(), VmpckId(1));
    assert_eq!((received.message_type(), received.message_version()), (MessageType(9), 7));
    assert_eq!(received.payload(), [0x5a; 32]);
    let text = format!("{received:?}");
    assert!(text.contains("import request") && !text.contains("90"), "{text}");
}

#[test]
fn response_follows_the_request() {
    let mut responder = responder();
    let reply = answer(&mut responder, &request(1, 9, 7), &[1; 16]);
    let expected = MessageMetadata::new(VmpckId(1), MessageType(10), 7, 16);
    assert_eq!((reply.header.sequence_number, reply.header.metadata), (2, expected));
}

#[test]
fn answered_requests_are_not_taken_again() {
    let mut responder = responder();
    let message = request(1, 5, 1);
    answer(&mut responder, &message, &[1; 16]);
    let error = responder.open(&mut message.clone()).unwrap_err();
    assert_eq!(error, RequestError::SequenceNumber { expected: 3, found: 1 });
    assert_eq!(error.status(), FirmwareStatus::AEAD_OVERFLOW);
    answer(&mut responder, &request(3, 5, 1), &[1; 16]);
}

#[test]
fn numbers_are_not_skipped() {
    let responder = responder();
    for found in [0, 2, 3, u64::MAX] {
        let error = responder.open(&mut request(found, 5, 1)).unwrap_err();
        assert_eq!(error, RequestError::SequenceNumber { expected: 1, found });
    }
}

#[test]
fn request_that_is_dropped_is_not_counted() {
    let responder = responder();
    let message = request(1, 99, 1);
    assert!(responder.open(&mut message.clone()).is_ok());
    assert!(responder.open(&mut message.clone()).is_ok());
    assert!(responder.open(&mut request(1, 5, 1)).is_ok());
}

#[test]
fn request_delivered_twice_is_answered_once() {
    let mut responder = responder();
    let (mut first, mut second) = (request(1, 5, 1), request(1, 5, 1));
    let (first, second) =
        (responder.open(&mut first).unwrap(), responder.open(&mut second).unwrap());
    let mut reply = GuestMessage::zeroed();
    responder.seal(first, &[1; 16], &mut reply).unwrap();
    let mut another = GuestMessage::zeroed();
    let refused = responder.seal(second, &[2; 16], &mut another);
    assert_eq!(refused, Err(ResponseError::AnsweredBefore(1)));
    assert_eq!(another, GuestMessage::zeroed());
}

#[test]
fn levels_count_for_themselves() {
    let mut secrets = secrets();
    let mut responder = Responder::new(&secrets.vmpck);
    let mut channels = [0, 1, 2, 3].map(|id| Channel::new(&mut secrets, VmpckId(id)).unwrap());
    for round in 0..2 {
        for channel in &mut channels {
            let message = sealed(channel, 1);
            assert_eq!(message.header.sequence_number, 4 * round + 1);
            let mut reply = answer(&mut responder, &message, &[0; 0x4c0]);
            channel.open::<abi_snp::ReportRequest>(&mut reply).unwrap();
            let message = sealed(channel, 2);
            let mut reply = answer(&mut responder, &message, &[0; 0x4c0]);
            channel.open::<abi_snp::ReportRequest>(&mut reply).unwrap();
            assert_eq!(channel.state(), ChannelState::Ready);
        }
    }
    let text = format!("{responder:?}");
    assert_eq!(text.matches("Counter(8)").count(), 4, "{text}");
}

#[test]
fn wrong_headers_are_refused_before_anything_else() {
    type Change = fn(&mut MessageMetadata);
    let cases: [(Change, RequestError); 9] = [
        (|said| said.algorithm.0 = 0, RequestError::Header),
        (|said| said.header_version = 2, RequestError::Header),
        (|said| said.header_size = 0x61, RequestError::Header),
        (|said| said.message_size = 0, RequestError::Size(0)),
        (|said| said.message_size = 40, RequestError::Size(40)),
        (|said| said.message_size = 4016, RequestError::Size(4016)),
        (|said| said.vmpck = VmpckId(4), RequestError::NoSuchKey(VmpckId(4))),
        (|said| said.vmpck = VmpckId(2), RequestError::NotAuthentic(VmpckId(2))),
        (|said| said.message_type.0 = 3, RequestError::NotAuthentic(VmpckId(1))),
    ];
    for (change, expected) in cases {
        let mut message = request(1, 5, 1);
        change(&mut message.header.metadata);
        let error = responder().open(&mut message).unwrap_err();
        assert_eq!(error, expected);
        let status = match expected {
            RequestError::NotAuthentic(_) => FirmwareStatus::BAD_MEASUREMENT,
            _ => FirmwareStatus::INVALID_PARAMETER,
        };
        assert_eq!(error.status(), status);
    }
}

#[test]
fn a_level_ends_with_the_last_number() {
    let mut responder = responder();
    responder.lanes[1].counter = Counter::ALMOST_EXHAUSTED;
    let reply = answer(&mut responder, &request(u64::MAX - 2, 5, 1), &[1; 16]);
    assert_eq!(reply.header.sequence_number, u64::MAX - 1);
    let error = responder.open(&mut request(u64::MAX, 5, 1)).unwrap_err();
    assert_eq!(error, RequestError::Exhausted(VmpckId(1)));
    assert_eq!(error.status(), FirmwareStatus::AEAD_OVERFLOW);
}

#[test]
fn responses_that_cannot_be_sealed_are_not_counted() {
    let mut responder = responder();
    let mut reply = GuestMessage::zeroed();
    let mut message = request(1, u8::MAX, 1);
    let received = responder.open(&mut message).unwrap();
    let refused = responder.seal(received, &[1; 16], &mut reply);
    assert_eq!(refused, Err(ResponseError::NoResponseType(MessageType(u8::MAX))));
    for size in [0, 17, 4016] {
        let mut message = request(1, 5, 1);
        let received = responder.open(&mut message).unwrap();
        let refused = responder.seal(received, &std::vec![1; size], &mut reply);
        assert_eq!(refused, Err(ResponseError::PayloadSize(size)));
    }
    assert_eq!(reply, GuestMessage::zeroed());
    answer(&mut responder, &request(1, 5, 1), &[1; 16]);
}

#[test]
fn unprotected_bytes_are_not_looked_at() {
    let (mut channel, responder) = ends();
    let mut message = GuestMessage::zeroed();
    channel.seal(&report_request(1), &mut message).unwrap();
    let bytes = message.as_mut_bytes();
    bytes[0x10..0x20].fill(0xff);
    bytes[0x28..0x30].fill(0xff);
    bytes[0xc0..].fill(0xff);
    assert!(responder.open(&mut message).is_ok());
}

proptest! {
    #[test]
    fn any_bytes_are_refused(start in prop::collection::vec(any::<u8>(), 0x80), rest in any::<u8>()) {
        let mut message = page(&start, rest);
        prop_assert!(responder().open(&mut message).is_err());
    }

    /// The header is right as far as it goes.
    #[test]
    fn any_metadata_is_refused(
        vmpck in any::<u8>(),
        message_type in any::<u8>(),
        size in any::<u16>(),
        sequence_number in any::<u64>(),
        tag in any::<[u8; 16]>(),
    ) {
        let mut message = GuestMessage::zeroed();
        let metadata = MessageMetadata::new(VmpckId(vmpck), MessageType(message_type), 1, size);
        message.header = MessageHeader::new(sequence_number, metadata);
        message.header.tag = tag;
        prop_assert!(responder().open(&mut message).is_err());
    }
}
