//! Messages of every kind, and what is not one.

use abi_snp::{
    CpuidEntry, CpuidPage, CpuidRequest, FirmwareStatus, GuestMessage, GuestRequest, KeySelection,
    MessageType, ReportRequest, TscInfoRequest,
};
use proptest::prelude::*;
use snp_messages::RequestError;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::cpuid::CpuidQuery;
use crate::security_processor::refusal::RequestRefusal;
use crate::security_processor::samples::{Ends, channel};

/// A request of any type and version whose payload is `SIZE` times a byte.
#[derive(IntoBytes, Immutable)]
#[repr(C)]
struct Odd<const TYPE: u8, const VERSION: u8, const SIZE: usize>([u8; SIZE]);

#[derive(Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Words([u32; 4]);

impl<const TYPE: u8, const VERSION: u8, const SIZE: usize> GuestRequest
    for Odd<TYPE, VERSION, SIZE>
{
    const MESSAGE_TYPE: MessageType = MessageType(TYPE);
    const MESSAGE_VERSION: u8 = VERSION;
    type Response = Words;
}

/// The refusal that the host learns of, if there is one.
fn refusal<R: GuestRequest>(request: &R) -> Option<RequestRefusal> {
    let mut ends = Ends::sample(0);
    let (mut asked, mut answer) = (GuestMessage::zeroed(), GuestMessage::zeroed());
    ends.channel.seal(request, &mut asked).unwrap();
    let again = asked.clone();
    let refusal = ends.processor.guest_request(&mut asked, &mut answer).err();
    if let Some(refusal) = refusal {
        assert_eq!(refusal.status(), FirmwareStatus::INVALID_PARAMETER);
        assert_eq!(answer, GuestMessage::zeroed());
        // It was not counted: the same request meets the same refusal.
        let twice = ends.processor.guest_request(&mut again.clone(), &mut answer);
        assert_eq!(twice, Err(refusal));
    }
    refusal
}

#[test]
fn unknown_messages_are_not_answered() {
    let unknown = |number| Some(RequestRefusal::UnknownType(MessageType(number)));
    assert_eq!(refusal(&Odd::<0, 1, 16>([0; 16])), unknown(0));
    // Export, import, absorb and VMRK are for migration agents.
    assert_eq!(refusal(&Odd::<7, 1, 16>([0; 16])), unknown(7));
    assert_eq!(refusal(&Odd::<13, 1, 64>([0; 64])), unknown(13));
    assert_eq!(refusal(&Odd::<6, 1, 96>([0; 96])), unknown(6));
}

#[test]
fn unknown_versions_are_not_answered() {
    let message_type = MessageType::KEY_REQUEST;
    let version = |found| Some(RequestRefusal::Version { message_type, found, known: 1 });
    assert_eq!(refusal(&Odd::<3, 0, 32>([0; 32])), version(0));
    assert_eq!(refusal(&Odd::<3, 2, 48>([0; 48])), version(2));
}

#[test]
fn short_messages_are_not_answered() {
    let message_type = MessageType::REPORT_REQUEST;
    let short = RequestRefusal::TooShort { message_type, found: 0x50, least: 0x60 };
    assert_eq!(refusal(&Odd::<5, 1, 0x50>([0; 0x50])), Some(short));
    // What stands behind is not looked at.
    assert_eq!(refusal(&Odd::<5, 1, 0x70>([0; 0x70])), None);
}

#[test]
fn host_cannot_forge_replay_or_mix_messages() {
    let mut ends = Ends::sample(2);
    let (mut asked, mut answer) = (GuestMessage::zeroed(), GuestMessage::zeroed());
    ends.channel.seal(&TscInfoRequest::new(), &mut asked).unwrap();
    let original = asked.clone();

    let mut flipped = original.clone();
    flipped.payload[3] ^= 1;
    let refusal = ends.processor.guest_request(&mut flipped, &mut answer).unwrap_err();
    assert!(matches!(refusal, RequestRefusal::Message(RequestError::NotAuthentic(_))));
    assert_eq!(refusal.status(), FirmwareStatus::BAD_MEASUREMENT);

    let mut raised = original.clone();
    raised.header.metadata.vmpck = abi_snp::VmpckId(0);
    let refusal = ends.processor.guest_request(&mut raised, &mut answer).unwrap_err();
    assert_eq!(refusal.status(), FirmwareStatus::BAD_MEASUREMENT);

    ends.processor.guest_request(&mut asked, &mut answer).unwrap();
    ends.channel.open::<TscInfoRequest>(&mut answer).unwrap();
    let refusal = ends.processor.guest_request(&mut original.clone(), &mut answer).unwrap_err();
    assert_eq!(refusal.status(), FirmwareStatus::AEAD_OVERFLOW);

    // After all of this the guest goes on.
    assert!(ends.ask(&TscInfoRequest::new()).is_ok());
}

#[test]
fn levels_have_channels_of_their_own() {
    let mut ends = Ends::sample(0);
    for level in [1, 2, 3, 0] {
        let channel = channel(ends.processor.guest(), level);
        ends.channel = channel;
        for _ in 0..2 {
            let request = ReportRequest::new([level; 64], 3, KeySelection::ANY);
            let response = ends.ask(&request).unwrap();
            assert_eq!(response.report().unwrap().report_data, [level; 64]);
        }
    }
}

#[test]
fn time_stamp_counter_is_that_of_the_launch() {
    let response = Ends::sample(1).ask(&TscInfoRequest::new()).unwrap();
    let info = response.info().unwrap();
    assert_eq!((info.scale, info.offset, info.factor), (1 << 32, 0, 200));
    let reserved = TscInfoRequest::read_from_bytes(&[1; 0x80]).unwrap();
    let response = Ends::sample(1).ask(&reserved).unwrap();
    assert_eq!(response.info(), Err(FirmwareStatus::INVALID_PARAMETER));
}

#[test]
fn reserved_bits_are_refused_in_the_answer() {
    let mut bytes = [0; 0x60];
    bytes[0x5f] = 1;
    let request = ReportRequest::read_from_bytes(&bytes).unwrap();
    let response = Ends::sample(0).ask(&request).unwrap();
    assert_eq!(response.status, FirmwareStatus::INVALID_PARAMETER);
    let mut bytes = [0; 0x20];
    bytes[4] = 1;
    let request = abi_snp::DerivedKeyRequest::read_from_bytes(&bytes).unwrap();
    let response = Ends::sample(0).ask(&request).unwrap();
    assert_eq!(response.into_key().unwrap_err(), FirmwareStatus::INVALID_PARAMETER);
}

#[test]
fn cpuid_values_are_judged_and_corrected() {
    let mut ends = Ends::sample(0);
    let cpuid = &ends.processor.platform().cpuid;
    let right = cpuid.fill(&CpuidPage::new(&[CpuidEntry::request(7, 0)]).unwrap()).unwrap();
    let right = right.entries().unwrap()[0];
    let actual = cpuid.answer(CpuidQuery::new(7, 0), 0);
    let hypervisor = CpuidEntry::request(0x4000_0000, 0);
    let mut wrong = right;
    wrong.edx = u32::MAX;

    let response = ends.ask(&CpuidRequest::new(&[hypervisor, right]).unwrap()).unwrap();
    assert_eq!((response.status, response.checked), (FirmwareStatus::SUCCESS, 1));
    let response = ends.ask(&CpuidRequest::new(&[wrong, right]).unwrap()).unwrap();
    assert_eq!((response.status, response.checked), (FirmwareStatus::INVALID_PARAMETER, 2));
    assert_eq!((response.entries()[0].edx, response.entries()[1]), (actual.edx, right));
    let response = ends.ask(&CpuidRequest::new(&[]).unwrap()).unwrap();
    assert_eq!((response.status, response.checked), (FirmwareStatus::SUCCESS, 0));

    for (place, value) in [(0, 65), (4, 1)] {
        let mut bytes = [0; 0xc10];
        bytes[place] = value;
        let response = ends.ask(&CpuidRequest::read_from_bytes(&bytes).unwrap()).unwrap();
        assert_eq!((response.status, response.checked), (FirmwareStatus::INVALID_PARAMETER, 0));
    }
}

#[test]
fn nothing_secret_shows() {
    let text = alloc::format!("{:?}", Ends::sample(0).processor);
    assert!(text.contains("redacted"));
    // The scalar of the VCEK and the seed, as lists and in hexadecimal.
    for secret in ["33, 33, 33", "212121", "94, 94, 94", "5e5e5e"] {
        assert!(!text.contains(secret), "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn arbitrary_messages_are_refused(bytes in prop::collection::vec(any::<u8>(), 0x1000), header: bool) {
        let mut bytes = bytes;
        if header {
            bytes[0x30..0x34].copy_from_slice(&[1, 1, 0x60, 0]);
            bytes[0x36..0x38].copy_from_slice(&[0x60, 0]);
            bytes[0x3c] %= 4;
        }
        let mut message = GuestMessage::read_from_bytes(&bytes).unwrap();
        let mut answer = GuestMessage::zeroed();
        let result = Ends::sample(0).processor.guest_request(&mut message, &mut answer);
        prop_assert!(result.is_err());
        prop_assert_eq!(answer, GuestMessage::zeroed());
    }

    #[test]
    fn arbitrary_payloads_are_answered(
        bytes in prop::collection::vec(any::<u8>(), 0xc10), clear in 0..0xc10_usize, level in 0..4_u8,
    ) {
        let mut bytes = bytes;
        bytes[clear..].fill(0);
        let mut ends = Ends::sample(level);
        let report = ReportRequest::read_from_bytes(&bytes[..0x60]).unwrap();
        prop_assert!(ends.ask(&report).is_ok());
        let key = abi_snp::DerivedKeyRequest::read_from_bytes(&bytes[..0x20]).unwrap();
        prop_assert!(ends.ask(&key).is_ok());
        let cpuid = CpuidRequest::read_from_bytes(&bytes).unwrap();
        prop_assert!(ends.ask(&cpuid).is_ok());
    }
}
