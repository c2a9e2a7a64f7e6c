//! A conversation with a model of the security processor, by way of hosts that
//! do what they like.

extern crate std;

use std::cell::Cell;
use std::collections::VecDeque;
use std::vec;
use std::vec::Vec;

use abi_snp::ghcb::NaeError;
use abi_snp::{
    AttestationReport, Certificate, CertificateKind, DerivedKey, DerivedKeyRequest,
    DerivedKeyResponse, FirmwareStatus, KeySelection, ReportResponse, RootKey, TscInfo,
    TscInfoRequest, TscInfoResponse, write_certificate_table,
};
use hal::memory::ShareError;
use proptest::prelude::*;
use snp_messages::Responder;
use zerocopy::{FromBytes, IntoBytes};

use super::*;

/// What the host does with one message.
#[derive(Clone, Debug)]
enum Deed {
    /// Passes it on.
    Honest,
    /// Says that it is busy; passes it on or not.
    Busy { passes_on: bool },
    /// Reports an error; passes the message on or not.
    Fails { error: CarryError, passes_on: bool },
    /// Says that all is well, and gives back what was in the page before.
    Drops,
    /// Flips a bit of the reply.
    Corrupts { byte: usize, bit: u8 },
    /// Gives an earlier reply.
    Replays { back: usize },
    /// Wants so many pages for certificates.
    WantsPages(u64),
}

/// A host in front of an honest security processor.
struct Host {
    responder: Responder,
    deeds: VecDeque<Deed>,
    /// What it does when there are no more deeds.
    at_last: Deed,
    certificates: Vec<u8>,
    pages: Option<u32>,
    /// What is in the certificates' pages.
    shown: Vec<u8>,
    page: GuestMessage,
    replies: Vec<GuestMessage>,
    /// All that it has seen.
    seen: Vec<GuestMessage>,
    paused_ns: Cell<u64>,
}

impl Host {
    fn pass_on(&mut self, message: &GuestMessage) -> Result<(), CarryError> {
        let mut copy = message.clone();
        let received =
            self.responder.open(&mut copy).map_err(|error| CarryError::Refused(error.status()))?;
        let payload = received.payload().to_vec();
        let response = match received.message_type() {
            <ReportRequest as GuestRequest>::MESSAGE_TYPE => {
                let asked = ReportRequest::read_from_bytes(&payload).unwrap();
                let mut report = AttestationReport::version_2();
                (report.report_data, report.vmpl) = (asked.report_data, asked.vmpl);
                ReportResponse::with_report(report).as_bytes().to_vec()
            }
            <DerivedKeyRequest as GuestRequest>::MESSAGE_TYPE => {
                DerivedKeyResponse::with_key(DerivedKey::new([0x77; 32])).as_bytes().to_vec()
            }
            _ => TscInfoResponse::refusal(FirmwareStatus::INVALID_PARAMETER).as_bytes().to_vec(),
        };
        self.responder.seal(received, &response, &mut self.page).unwrap();
        self.replies.push(self.page.clone());
        Ok(())
    }

    fn carry(
        &mut self,
        message: &GuestMessage,
        reply: &mut GuestMessage,
        for_certificates: bool,
    ) -> Result<(), CarryError> {
        self.seen.push(message.clone());
        match self.deeds.pop_front().unwrap_or_else(|| self.at_last.clone()) {
            Deed::Honest => {
                let needed = self.certificates.len().div_ceil(4096);
                if for_certificates && (self.certificate_pages() as usize) < needed {
                    return Err(CarryError::TooFewPages(needed as u64));
                }
                if for_certificates {
                    self.shown = self.certificates.clone();
                }
                self.pass_on(message)?;
            }
            Deed::Busy { passes_on } => {
                if passes_on {
                    self.pass_on(message)?;
                }
                return Err(CarryError::Busy);
            }
            Deed::Fails { error, passes_on } => {
                if passes_on {
                    self.pass_on(message)?;
                }
                return Err(error);
            }
            Deed::Drops => {}
            Deed::Corrupts { byte, bit } => {
                self.pass_on(message)?;
                // Only what the seal covers.
                let size = 0x60 + usize::from(self.page.header.metadata.message_size);
                let covered = (0..0x10).chain(0x20..0x28).chain(0x30..size);
                let place = covered.clone().nth(byte % covered.count()).unwrap();
                self.page.as_mut_bytes()[place] ^= 1 << bit;
            }
            Deed::Replays { back } => {
                if let Some(index) = self.replies.len().checked_sub(1 + back) {
                    self.page = self.replies[index].clone();
                }
                // The honest answer is never shown.
                let shown = self.page.clone();
                self.pass_on(message)?;
                self.page = shown;
            }
            Deed::WantsPages(pages) => return Err(CarryError::TooFewPages(pages)),
        }
        reply.clone_from(&self.page);
        Ok(())
    }
}

impl Carrier for Host {
    fn exchange(
        &mut self,
        message: &GuestMessage,
        reply: &mut GuestMessage,
    ) -> Result<(), CarryError> {
        self.carry(message, reply, false)
    }

    fn exchange_for_certificates(
        &mut self,
        message: &GuestMessage,
        reply: &mut GuestMessage,
    ) -> Result<(), CarryError> {
        self.shown.clear();
        self.carry(message, reply, true)
    }

    fn make_room(&mut self, pages: u32) -> Result<(), ShareError> {
        self.pages = None;
        if pages == 13 {
            return Err(OutOfMemory.into());
        }
        self.pages = Some(pages);
        Ok(())
    }

    fn certificate_pages(&self) -> u32 {
        self.pages.unwrap_or(0)
    }

    fn read_certificates(&self, to: &mut [u8]) {
        assert!(to.len() <= self.certificate_pages() as usize * 4096);
        to[..self.shown.len()].copy_from_slice(&self.shown);
    }

    fn pause(&self, duration_ns: u64) {
        self.paused_ns.set(self.paused_ns.get() + duration_ns);
    }
}

const DATA: [u8; 64] = [0x5a; 64];

fn request() -> ReportRequest {
    ReportRequest::new(DATA, 0, KeySelection::ANY)
}

fn secrets() -> SecretsPage {
    SecretsPage::read_from_bytes(&[7; 4096]).unwrap()
}

/// A conversation by way of a host that does `deeds`, and then `at_last`.
fn conversation(deeds: Vec<Deed>, at_last: Deed) -> Conversation<Host> {
    let mut secrets = secrets();
    let host = Host {
        responder: Responder::new(&secrets.vmpck),
        deeds: deeds.into(),
        at_last,
        certificates: Vec::new(),
        pages: None,
        shown: Vec::new(),
        page: GuestMessage::zeroed(),
        replies: Vec::new(),
        seen: Vec::new(),
        paused_ns: Cell::new(0),
    };
    Conversation::new(&mut secrets, VmpckId(0), host).unwrap()
}

/// Asks for a report and checks it.
fn report(conversation: &mut Conversation<Host>) -> Result<(), RequestError> {
    let response = conversation.ask(&request())?;
    let report = response.report()?;
    assert_eq!((report.report_data, report.vmpl), (DATA, 0));
    Ok(())
}

/// The numbers of the messages that the host has seen.
fn numbers(conversation: &Conversation<Host>) -> Vec<u64> {
    conversation.carrier.seen.iter().map(|message| message.header.sequence_number).collect()
}

/// No two different messages of one number: what everything is for.
fn assert_no_number_repeats(conversation: &Conversation<Host>) {
    let seen = &conversation.carrier.seen;
    for (index, one) in seen.iter().enumerate() {
        for other in &seen[index..] {
            let same_number = one.header.sequence_number == other.header.sequence_number;
            assert!(!same_number || one == other, "two messages of one number");
        }
    }
}

#[test]
fn requests_of_all_kinds_are_answered_with_numbers_of_their_own() {
    let mut conversation = conversation(Vec::new(), Deed::Honest);
    report(&mut conversation).unwrap();
    let key = DerivedKeyRequest::new(RootKey::ENDORSEMENT_KEY, 0);
    let key = conversation.ask(&key).unwrap().into_key().unwrap();
    assert_eq!(*key.expose(), [0x77; 32]);
    let time: Result<TscInfo, _> = conversation.ask(&TscInfoRequest::new()).unwrap().info();
    assert_eq!(time, Err(FirmwareStatus::INVALID_PARAMETER));
    report(&mut conversation).unwrap();
    assert_eq!(numbers(&conversation), [1, 3, 5, 7]);
}

#[test]
fn the_key_is_taken_from_the_page_once() {
    let mut secrets = secrets();
    let host = || conversation(Vec::new(), Deed::Honest).carrier;
    assert!(Conversation::new(&mut secrets, VmpckId(0), host()).is_ok());
    assert_eq!(*secrets.vmpck[0].expose(), [0; 32]);
    assert_eq!(*secrets.vmpck[2].expose(), [7; 32]);
    let again = Conversation::new(&mut secrets, VmpckId(0), host()).err();
    assert_eq!(again, Some(BeginError::Key(NoKeyError::Taken(VmpckId(0)))));
}

#[test]
fn a_busy_host_gets_the_same_message_after_pauses_that_grow() {
    let busy = Deed::Busy { passes_on: false };
    let mut conversation = conversation(vec![busy; 3], Deed::Honest);
    report(&mut conversation).unwrap();
    assert_eq!(numbers(&conversation), [1; 4]);
    assert_no_number_repeats(&conversation);
    assert_eq!(conversation.carrier.paused_ns.get(), 7_000_000);
    report(&mut conversation).unwrap();
}

#[test]
fn a_host_that_is_always_busy_ends_the_conversation() {
    let mut conversation = conversation(Vec::new(), Deed::Busy { passes_on: false });
    assert_eq!(report(&mut conversation), Err(RequestError::KeyLost));
    assert_eq!(conversation.carrier.seen.len(), 14);
    assert_eq!(conversation.carrier.paused_ns.get(), 8_191_000_000);
    // From now on the host is not even asked.
    assert_eq!(report(&mut conversation), Err(RequestError::KeyLost));
    let certificates = conversation.ask_with_certificates(&request());
    assert_eq!(certificates.unwrap_err(), RequestError::KeyLost);
    assert_eq!(conversation.carrier.seen.len(), 14);
}

#[test]
fn a_message_that_was_answered_in_secret_is_not_answered_again() {
    // The security processor has counted it, and the reply is kept back.
    let mut conversation = conversation(vec![Deed::Busy { passes_on: true }], Deed::Honest);
    assert_eq!(report(&mut conversation), Err(RequestError::KeyLost));
    assert_no_number_repeats(&conversation);
    assert_eq!(numbers(&conversation), [1; 4]);
}

#[test]
fn errors_are_outlived_a_few_times() {
    for error in [
        CarryError::Refused(FirmwareStatus::INVALID_PARAMETER),
        CarryError::Unknown(3),
        CarryError::Answer(NaeError::UnknownOutcome(9)),
    ] {
        let fails = Deed::Fails { error, passes_on: false };
        let mut outlived = conversation(vec![fails.clone(); 2], Deed::Honest);
        report(&mut outlived).unwrap();
        assert_eq!(numbers(&outlived), [1; 3]);
        let mut lost = conversation(vec![fails; 3], Deed::Honest);
        assert_eq!(report(&mut lost), Err(RequestError::KeyLost));
        assert_eq!(report(&mut lost), Err(RequestError::KeyLost));
        assert_eq!(numbers(&lost), [1; 3]);
    }
}

#[test]
fn wrong_replies_end_the_conversation() {
    for deed in [Deed::Drops, Deed::Replays { back: 0 }, Deed::Corrupts { byte: 0x60, bit: 3 }] {
        let mut conversation = conversation(vec![Deed::Honest, deed], Deed::Honest);
        report(&mut conversation).unwrap();
        assert_eq!(report(&mut conversation), Err(RequestError::KeyLost));
        assert_eq!(report(&mut conversation), Err(RequestError::KeyLost));
        assert_eq!(numbers(&conversation), [1, 3]);
    }
}

#[test]
fn pages_for_certificates_that_nobody_asked_for_end_the_conversation() {
    let mut conversation = conversation(vec![Deed::WantsPages(1)], Deed::Honest);
    assert_eq!(report(&mut conversation), Err(RequestError::KeyLost));
}

/// A table with one certificate of so many bytes.
fn table(size: usize) -> Vec<u8> {
    let certificate = vec![0x33; size];
    let certificate = Certificate { kind: CertificateKind::VCEK, bytes: &certificate };
    let mut place = vec![0; size + 0x30];
    assert_eq!(write_certificate_table(&[certificate], &mut place), Ok(place.len()));
    place
}

#[test]
fn certificates_of_any_size_come_with_the_report() {
    let largest = MOST_CERTIFICATE_PAGES as usize * 4096 - 0x30;
    for size in [0, 1, 4096 - 0x30, 4097 - 0x30, 3 * 4096, largest] {
        let mut conversation = conversation(Vec::new(), Deed::Honest);
        conversation.carrier.certificates = table(size);
        for round in 0..2 {
            let (response, certificates) = conversation.ask_with_certificates(&request()).unwrap();
            assert_eq!(response.report().unwrap().report_data, DATA);
            assert_eq!(certificates.as_bytes(), table(size), "round {round}");
        }
        // The size is asked for once.
        assert_eq!(numbers(&conversation), [1, 1, 3]);
    }
}

#[test]
fn a_host_without_certificates_gives_none() {
    let mut conversation = conversation(Vec::new(), Deed::Honest);
    for _ in 0..2 {
        let (_, certificates) = conversation.ask_with_certificates(&request()).unwrap();
        assert!(certificates.as_bytes().is_empty());
        conversation.carrier.make_room(1).unwrap();
    }
}

#[test]
fn certificates_that_cannot_be_had_do_not_keep_the_report_away() {
    let too_many = u64::from(MOST_CERTIFICATE_PAGES) + 1;
    for deeds in [
        // More than there may be, with values that a conversion would cut.
        vec![Deed::WantsPages(too_many)],
        vec![Deed::WantsPages(1 << 32 | 1)],
        vec![Deed::WantsPages(u64::MAX)],
        // Fewer than there are.
        vec![Deed::WantsPages(0)],
        // There is no memory for 13.
        vec![Deed::WantsPages(13)],
        // Ever more.
        vec![Deed::WantsPages(1), Deed::WantsPages(2), Deed::WantsPages(3)],
    ] {
        let mut conversation = conversation(deeds.clone(), Deed::Honest);
        let (response, certificates) = conversation.ask_with_certificates(&request()).unwrap();
        assert_eq!(response.report().unwrap().report_data, DATA);
        assert!(certificates.as_bytes().is_empty(), "{deeds:?}");
        assert_no_number_repeats(&conversation);
    }
}

#[test]
fn certificates_that_are_no_table_are_left_out() {
    let mut conversation = conversation(Vec::new(), Deed::Honest);
    conversation.carrier.certificates = vec![0xff; 5000];
    let (response, certificates) = conversation.ask_with_certificates(&request()).unwrap();
    assert!(response.report().is_ok());
    assert_eq!(certificates, Certificates::NONE);
}

fn deed() -> impl Strategy<Value = Deed> {
    let error = prop_oneof![
        any::<u32>().prop_map(CarryError::Unknown),
        any::<u32>().prop_map(|status| CarryError::Refused(FirmwareStatus(status))),
        any::<u32>().prop_map(|outcome| CarryError::Answer(NaeError::UnknownOutcome(outcome))),
    ];
    prop_oneof![
        4 => Just(Deed::Honest),
        2 => any::<bool>().prop_map(|passes_on| Deed::Busy { passes_on }),
        2 => (error, any::<bool>()).prop_map(|(error, passes_on)| Deed::Fails { error, passes_on }),
        1 => Just(Deed::Drops),
        1 => (any::<usize>(), 0_u8..8).prop_map(|(byte, bit)| Deed::Corrupts { byte, bit }),
        1 => (0_usize..3).prop_map(|back| Deed::Replays { back }),
        1 => any::<u64>().prop_map(Deed::WantsPages),
        1 => (0_u64..80).prop_map(Deed::WantsPages),
    ]
}

proptest! {
    #[test]
    fn whatever_the_host_does_answers_are_right_and_numbers_do_not_repeat(
        deeds in proptest::collection::vec(deed(), 0..24),
        asks in proptest::collection::vec((any::<bool>(), any::<[u8; 32]>()), 1..12),
    ) {
        let mut conversation = conversation(deeds, Deed::Honest);
        conversation.carrier.certificates = table(5000);
        let mut is_lost = false;
        for (with_certificates, half) in asks {
            let mut data = [0; 64];
            data[..32].copy_from_slice(&half);
            let request = ReportRequest::new(data, 0, KeySelection::ANY);
            let answer = if with_certificates {
                conversation.ask_with_certificates(&request).map(|(response, certificates)| {
                    let bytes = certificates.as_bytes();
                    assert!(bytes.is_empty() || bytes == table(5000));
                    response
                })
            } else {
                conversation.ask(&request)
            };
            match answer {
                Ok(response) => {
                    prop_assert!(!is_lost, "a lost key stays lost");
                    prop_assert_eq!(response.report().unwrap().report_data, data);
                }
                Err(error) => {
                    prop_assert_eq!(error, RequestError::KeyLost);
                    is_lost = true;
                }
            }
            assert_no_number_repeats(&conversation);
        }
    }
}
