//! What a channel takes, what closes it, and that no number is used twice.

extern crate std;

use std::format;
use std::vec::Vec;

use abi_snp::{
    AttestationReport, DerivedKey, DerivedKeyRequest, DerivedKeyResponse, FirmwareStatus,
    ReportRequest, ReportResponse, RootKey, TscInfo, TscInfoRequest, TscInfoResponse,
};
use proptest::prelude::*;
use zerocopy::IntoBytes;

use super::*;
use crate::responder::{RequestError, Responder};
use crate::samples::{Probe, ProbeResponse, answer, ends, page, report_request, sealed, secrets};

const INFO: TscInfo = TscInfo { scale: 1, offset: 2, factor: 3 };

/// A response with a report.
fn report_response() -> ReportResponse {
    ReportResponse::with_report(AttestationReport::version_2())
}

/// A channel that waits for the reply to a report request, and that reply.
fn waiting() -> (Channel, GuestMessage) {
    let (mut channel, mut responder) = ends();
    let request = sealed(&mut channel, 1);
    let reply = answer(&mut responder, &request, report_response().as_bytes());
    (channel, reply)
}

/// Asserts that `channel` is closed and does nothing any more.
fn assert_closed(channel: &mut Channel) {
    assert_eq!(channel.state(), ChannelState::Closed);
    let mut message = GuestMessage::zeroed();
    assert_eq!(channel.seal(&report_request(0), &mut message), Err(SealError::Closed));
    assert_eq!(channel.open::<ReportRequest>(&mut message), Err(OpenError::Closed));
    assert_eq!(message, GuestMessage::zeroed());
}

#[test]
fn requests_are_answered_one_after_the_other() {
    let (mut channel, mut responder) = ends();
    let mut message = GuestMessage::zeroed();
    for round in 0..3 {
        assert_eq!(channel.state(), ChannelState::Ready);
        let request = sealed(&mut channel, round);
        assert_eq!(channel.state(), ChannelState::ReplyOutstanding);
        let mut reply = answer(&mut responder, &request, report_response().as_bytes());
        let numbers = (request.header.sequence_number, reply.header.sequence_number);
        assert_eq!(numbers, (4 * u64::from(round) + 1, 4 * u64::from(round) + 2));
        assert_eq!(channel.open::<ReportRequest>(&mut reply), Ok(report_response()));
        assert_eq!(reply.payload, [0; GuestMessage::MAX_PAYLOAD]);

        channel.seal(&TscInfoRequest::new(), &mut message).unwrap();
        let response = TscInfoResponse::with_info(INFO);
        let mut reply = answer(&mut responder, &message, response.as_bytes());
        assert_eq!(channel.open::<TscInfoRequest>(&mut reply).unwrap().info(), Ok(INFO));
    }
}

#[test]
fn derived_key_arrives_and_leaves_nothing_behind() {
    let (mut channel, mut responder) = ends();
    let mut message = GuestMessage::zeroed();
    channel.seal(&DerivedKeyRequest::new(RootKey::VCEK, 1), &mut message).unwrap();
    let response = DerivedKeyResponse::with_key(DerivedKey::new([0xa5; 32]));
    let mut reply = answer(&mut responder, &message, response.as_bytes());
    let response = channel.open::<DerivedKeyRequest>(&mut reply).unwrap();
    assert_eq!(*response.into_key().unwrap().expose(), [0xa5; 32]);
    assert_eq!(reply.payload, [0; GuestMessage::MAX_PAYLOAD]);
}

#[test]
fn refusal_by_the_security_processor_is_a_reply() {
    let (mut channel, mut responder) = ends();
    let request = sealed(&mut channel, 1);
    let refusal = ReportResponse::refusal(FirmwareStatus::INVALID_KEY);
    let mut reply = answer(&mut responder, &request, refusal.as_bytes());
    assert_eq!(channel.open::<ReportRequest>(&mut reply), Ok(refusal));
    assert_eq!(channel.state(), ChannelState::Ready);
}

#[test]
fn longer_responses_are_taken() {
    let (mut channel, mut responder) = ends();
    let mut message = GuestMessage::zeroed();
    channel.seal(&Probe([0; 16]), &mut message).unwrap();
    let mut reply = answer(&mut responder, &message, &[7; 4000]);
    assert_eq!(channel.open::<Probe<16>>(&mut reply), Ok(ProbeResponse([7; 32])));
}

#[test]
fn no_number_is_used_for_two_messages() {
    let (mut channel, mut responder) = ends();
    let first = sealed(&mut channel, 1);
    let mut message = GuestMessage::zeroed();
    let refused = channel.seal(&report_request(2), &mut message);
    assert_eq!(refused, Err(SealError::ReplyOutstanding));
    assert_eq!(message, GuestMessage::zeroed());

    // The host was busy; the same bytes go out again, and work.
    let mut reply = answer(&mut responder, &first, report_response().as_bytes());
    assert_eq!(channel.open::<ReportRequest>(&mut reply), Ok(report_response()));
    assert_eq!(sealed(&mut channel, 2).header.sequence_number, 3);
}

#[test]
fn key_belongs_to_one_channel() {
    let mut secrets = secrets();
    for vmpck in (0..4).map(VmpckId) {
        let channel = Channel::new(&mut secrets, vmpck).unwrap();
        assert_eq!((channel.vmpck(), channel.state()), (vmpck, ChannelState::Ready));
        let again = Channel::new(&mut secrets, vmpck);
        assert_eq!(again.unwrap_err(), NoKeyError::Taken(vmpck));
    }
    for vmpck in [VmpckId(4), VmpckId(u8::MAX)] {
        let error = Channel::new(&mut secrets, vmpck).unwrap_err();
        assert_eq!(error, NoKeyError::NoSuchKey(vmpck));
    }
}

#[test]
fn channel_ends_with_the_last_number() {
    let (mut channel, _) = ends();
    channel.counter = Counter::ALMOST_EXHAUSTED;
    let request = sealed(&mut channel, 1);
    assert_eq!(request.header.sequence_number, u64::MAX - 2);
    channel.counter.advance(channel.outstanding.take().unwrap().exchange);
    let mut message = GuestMessage::zeroed();
    assert_eq!(channel.seal(&report_request(1), &mut message), Err(SealError::Exhausted));
    assert_eq!(message, GuestMessage::zeroed());
    assert_closed(&mut channel);
}

#[test]
fn requests_of_wrong_size_are_not_sealed() {
    let (mut channel, _) = ends();
    let mut message = GuestMessage::zeroed();
    let sizes = [
        channel.seal(&Probe([0; 0]), &mut message),
        channel.seal(&Probe([0; 24]), &mut message),
        channel.seal(&Probe([0; 4016]), &mut message),
    ];
    assert_eq!(sizes, [0, 24, 4016].map(|size| Err(SealError::PayloadSize(size))));
    // No number was used up.
    assert_eq!(sealed(&mut channel, 1).header.sequence_number, 1);
}

#[test]
fn asking_for_what_is_not_outstanding_changes_nothing() {
    let (mut channel, mut reply) = waiting();
    let before = reply.clone();
    let nothing = OpenError::NothingOutstanding(MessageType::TSC_INFO_REQUEST);
    assert_eq!(channel.open::<TscInfoRequest>(&mut reply), Err(nothing));
    assert_eq!(reply, before);
    assert_eq!(channel.open::<ReportRequest>(&mut reply), Ok(report_response()));
    let nothing = OpenError::NothingOutstanding(MessageType::REPORT_REQUEST);
    assert_eq!(channel.open::<ReportRequest>(&mut before.clone()), Err(nothing));
    assert_eq!(channel.state(), ChannelState::Ready);
}

#[test]
fn closed_channels_stay_closed() {
    let (mut channel, mut reply) = waiting();
    channel.close();
    assert_eq!(channel.open::<ReportRequest>(&mut reply), Err(OpenError::Closed));
    assert_closed(&mut channel);
}

#[test]
fn old_replies_close_the_channel() {
    let (mut channel, mut responder) = ends();
    let request = sealed(&mut channel, 1);
    let reply = answer(&mut responder, &request, report_response().as_bytes());
    channel.open::<ReportRequest>(&mut reply.clone()).unwrap();
    sealed(&mut channel, 2);
    let error = channel.open::<ReportRequest>(&mut reply.clone()).unwrap_err();
    assert_eq!(error, OpenError::SequenceNumber { expected: 4, found: 2 });
    assert_closed(&mut channel);
}

#[test]
fn own_request_is_no_reply() {
    let (mut channel, _) = ends();
    let mut request = sealed(&mut channel, 1);
    let error = channel.open::<ReportRequest>(&mut request).unwrap_err();
    assert_eq!(error, OpenError::SequenceNumber { expected: 2, found: 1 });
    assert_closed(&mut channel);
}

#[test]
fn replies_to_another_level_close_the_channel() {
    let mut secrets = secrets();
    let mut responder = Responder::new(&secrets.vmpck);
    let mut channel = Channel::new(&mut secrets, VmpckId(1)).unwrap();
    let mut neighbour = Channel::new(&mut secrets, VmpckId(2)).unwrap();
    sealed(&mut channel, 1);
    let request = sealed(&mut neighbour, 1);
    let mut reply = answer(&mut responder, &request, report_response().as_bytes());
    let mut relabelled = reply.clone();
    let error = channel.open::<ReportRequest>(&mut reply).unwrap_err();
    assert_eq!(error, OpenError::Vmpck { expected: VmpckId(1), found: VmpckId(2) });
    assert_closed(&mut channel);

    let (mut channel, _) = waiting();
    relabelled.header.metadata.vmpck = VmpckId(1);
    let error = channel.open::<ReportRequest>(&mut relabelled).unwrap_err();
    assert_eq!(error, OpenError::NotAuthentic);
    assert_closed(&mut channel);
}

#[test]
fn replies_that_say_something_else_close_the_channel() {
    type Change = fn(&mut MessageMetadata);
    let cases: [(Change, OpenError); 9] = [
        (|said| said.algorithm.0 = 2, OpenError::Header { version: 1, size: 0x60, algorithm: 2 }),
        (
            |said| said.header_version = 0,
            OpenError::Header { version: 0, size: 0x60, algorithm: 1 },
        ),
        (
            |said| said.header_size = 0x70,
            OpenError::Header { version: 1, size: 0x70, algorithm: 1 },
        ),
        (
            |said| said.message_type.0 = 18,
            OpenError::MessageType {
                expected: MessageType::REPORT_RESPONSE,
                found: MessageType::TSC_INFO_RESPONSE,
            },
        ),
        (|said| said.message_version = 2, OpenError::MessageVersion { expected: 1, found: 2 }),
        (|said| said.message_size = 0, OpenError::Size { least: 0x4c0, found: 0 }),
        (|said| said.message_size = 0x4bf, OpenError::Size { least: 0x4c0, found: 0x4bf }),
        (|said| said.message_size = 4000, OpenError::NotAuthentic),
        (|said| said.message_size = u16::MAX, OpenError::Size { least: 0x4c0, found: u16::MAX }),
    ];
    for (change, expected) in cases {
        let (mut channel, mut reply) = waiting();
        change(&mut reply.header.metadata);
        assert_eq!(channel.open::<ReportRequest>(&mut reply), Err(expected));
        assert_eq!(reply.payload, [0; GuestMessage::MAX_PAYLOAD]);
        assert_closed(&mut channel);
    }
}

#[test]
fn authentic_replies_that_are_too_short_close_the_channel() {
    let (mut channel, mut responder) = ends();
    let mut message = GuestMessage::zeroed();
    channel.seal(&Probe([0; 16]), &mut message).unwrap();
    let mut reply = answer(&mut responder, &message, &[7; 16]);
    let error = channel.open::<Probe<16>>(&mut reply).unwrap_err();
    assert_eq!(error, OpenError::Size { least: 32, found: 16 });
    assert_closed(&mut channel);
}

#[test]
fn every_byte_of_a_reply_counts() {
    let (_, sample) = waiting();
    let end = 0x60 + usize::from(sample.header.metadata.message_size);
    for place in (0..end).filter(|place| !matches!(place, 0x10..0x20 | 0x28..0x30)) {
        let (mut channel, _) = ends();
        sealed(&mut channel, 1);
        let mut reply = sample.clone();
        reply.as_mut_bytes()[place] ^= 1;
        assert!(channel.open::<ReportRequest>(&mut reply).is_err(), "{place:#x}");
        assert_eq!(channel.state(), ChannelState::Closed, "{place:#x}");
    }
}

#[test]
fn every_byte_of_a_request_counts() {
    let (mut channel, responder) = ends();
    let request = sealed(&mut channel, 1);
    let end = 0x60 + size_of::<ReportRequest>();
    for place in (0..end).filter(|place| !matches!(place, 0x10..0x20 | 0x28..0x30)) {
        let mut changed = request.clone();
        changed.as_mut_bytes()[place] ^= 1;
        assert!(responder.open(&mut changed).is_err(), "{place:#x}");
    }
    assert!(responder.open(&mut request.clone()).is_ok());
}

#[test]
fn keys_of_another_guest_do_not_work() {
    let (mut channel, mut reply) = waiting();
    let mut other_secrets = secrets();
    other_secrets.vmpck[1].as_mut_bytes()[31] ^= 1;
    let mut other = Channel::new(&mut other_secrets, VmpckId(1)).unwrap();
    let request = sealed(&mut other, 1);
    let (_, responder) = ends();
    let error = responder.open(&mut request.clone()).unwrap_err();
    assert_eq!(error, RequestError::NotAuthentic(VmpckId(1)));
    assert_eq!(other.open::<ReportRequest>(&mut reply.clone()), Err(OpenError::NotAuthentic));
    assert_closed(&mut other);
    assert_eq!(channel.open::<ReportRequest>(&mut reply), Ok(report_response()));
}

#[test]
fn keys_do_not_show() {
    let (channel, responder) = ends();
    let text = format!("{channel:?} {channel:#?} {responder:?} {responder:#?}");
    // The keys' bytes count from 0x40 and so on.
    assert!(!text.contains("65, 66") && !text.contains("66,\n"), "{text}");
    assert!(text.contains("state: Ready"), "{text}");
}

proptest! {
    #[test]
    fn any_bytes_close_the_channel(start in prop::collection::vec(any::<u8>(), 0x80), rest in any::<u8>()) {
        let (mut channel, _) = waiting();
        let mut reply = page(&start, rest);
        prop_assert!(channel.open::<ReportRequest>(&mut reply).is_err());
        prop_assert_eq!(channel.state(), ChannelState::Closed);
    }

    /// The header is right as far as it goes: the cipher decides.
    #[test]
    fn any_metadata_closes_the_channel(
        size in any::<u16>(),
        tag in any::<[u8; 16]>(),
        sequence_number in prop_oneof![Just(2), any::<u64>()],
        content in any::<u8>(),
    ) {
        let (mut channel, mut reply) = waiting();
        reply.header.metadata.message_size = size;
        reply.header.tag = tag;
        reply.header.sequence_number = sequence_number;
        reply.payload.fill(content);
        prop_assert!(channel.open::<ReportRequest>(&mut reply).is_err());
        prop_assert_eq!(channel.state(), ChannelState::Closed);
    }

    /// Whatever the host and the caller do in which order, no two different
    /// messages leave the guest with the same number.
    #[test]
    fn histories_use_no_number_twice(steps in prop::collection::vec(0_u8..7, 1..40)) {
        let (mut channel, mut responder) = ends();
        let mut sent: Vec<GuestMessage> = Vec::new();
        let mut replies: Vec<GuestMessage> = Vec::new();
        for (content, step) in (0_u8..).zip(steps) {
            match step {
                // The caller seals whenever it is let.
                0 | 1 => {
                    let mut message = GuestMessage::zeroed();
                    if channel.seal(&report_request(content), &mut message).is_ok() {
                        sent.push(message);
                    }
                }
                // The host delivers the last message, perhaps once more, or an
                // old one.
                2..=4 => {
                    let choice = if step == 4 { sent.first() } else { sent.last() };
                    if let Some(mut request) = choice.cloned()
                        && let Ok(received) = responder.open(&mut request)
                    {
                        let mut reply = GuestMessage::zeroed();
                        let response = report_response();
                        responder.seal(received, response.as_bytes(), &mut reply).unwrap();
                        replies.push(reply);
                    }
                }
                // The host hands out the last reply, or the first one.
                _ => {
                    let choice = if step == 6 { replies.first() } else { replies.last() };
                    if let Some(mut reply) = choice.cloned() {
                        let _ = channel.open::<ReportRequest>(&mut reply);
                    }
                }
            }
        }
        for messages in [sent, replies] {
            let mut numbers: Vec<_> = messages.iter().map(|m| m.header.sequence_number).collect();
            let count = numbers.len();
            numbers.sort_unstable();
            numbers.dedup();
            prop_assert_eq!(numbers.len(), count);
        }
    }
}
