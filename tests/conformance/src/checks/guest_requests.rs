//! Messages to the security processor.

use abi_snp::ghcb::{ExitCode, GuestRequestStatus, SaveArea, ValidFields};
use abi_snp::{
    CertificateTable, CpuidRequest, DerivedKeyRequest, FirmwareStatus, GuestFields, GuestMessage,
    GuestRequest, KeySelection, ReportRequest, RootKey, TscInfoRequest, VmpckId,
};
use alloc::boxed::Box;
use alloc::format;
use alloc::vec;
use snp_messages::Channel;
use zerocopy::IntoBytes;

use super::check::Check;
use crate::bench::Bench;
use crate::machine::Page;
use crate::verdict::{Verdict, expect, failed, require};

const SOURCE: &str = "SNP ABI 56860 ch. 7, §8.26; GHCB 56421 2.04 §4.1";

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "guest-requests/secrets-page",
        source: "SNP ABI 56860 §8.14.2.5",
        hardware: "the secrets page has version 2 or later, and four keys that are not zero and all \
               differ",
        run: secrets_page,
    },
    Check {
        name: "guest-requests/conversation",
        source: SOURCE,
        hardware: "reports, keys, time, CPUID and certificates by one key: the report has what was asked for and \
               VMPL0; the same key again for the same request, another one for another; a message \
               that was answered is not answered again",
        run: conversation,
    },
    Check {
        name: "guest-requests/level-above",
        source: "SNP ABI 56860 §7.3, vmpl",
        hardware: "a report for VMPL0 by the key of VMPL1 is refused: invalid parameter (16)",
        run: level_above,
    },
];

fn secrets_page(bench: &mut Bench) -> Verdict {
    let secrets = &bench.guest.secrets;
    require(secrets.version >= 2, "version 2 or later", secrets.version)?;
    for (index, key) in secrets.vmpck.iter().enumerate() {
        require(*key.expose() != [0; 32], "a key that is not zero", index)?;
        let twins = secrets.vmpck.iter().filter(|other| other.expose() == key.expose());
        expect("keys of this value", 1, twins.count())?;
    }
    Ok(())
}

/// A conversation by one key.
struct Conversation {
    channel: Channel,
    request: Page,
    response: Page,
    message: Box<GuestMessage>,
}

impl Conversation {
    fn new(bench: &mut Bench, key: VmpckId) -> Verdict<Self> {
        let channel = Channel::new(bench.guest.secrets, key)
            .map_err(|error| failed(format!("expected a key, got: {error}")))?;
        let request = bench.shared_page()?;
        let response = bench.shared_page()?;
        let message = Box::new(GuestMessage::zeroed());
        Ok(Self { channel, request, response, message })
    }

    /// Sends the message that was sealed last.
    fn send(&self, bench: &Bench) -> Verdict<GuestRequestStatus> {
        self.request.store(0, self.message.as_bytes());
        let code = ExitCode::SNP_GUEST_REQUEST.0;
        let asked = SaveArea::request(code, self.request.gpa(), self.response.gpa());
        let outputs = bench.must(&asked, ValidFields::EXIT_INFO_2)?;
        Ok(GuestRequestStatus::decode(outputs.exit_info_2))
    }

    /// Sends the message that was sealed last, with room for certificates: so
    /// many pages from `place` on. Gives how many it takes if these do not
    /// suffice.
    fn send_for_certificates(
        &self,
        bench: &Bench,
        place: Page,
        pages: u64,
    ) -> Verdict<(GuestRequestStatus, Option<u64>)> {
        self.request.store(0, self.message.as_bytes());
        let code = ExitCode::SNP_EXTENDED_GUEST_REQUEST.0;
        let answer = bench.ghcb.answer(&SaveArea {
            rax: Some(place.gpa()),
            rbx: Some(pages),
            ..SaveArea::request(code, self.request.gpa(), self.response.gpa())
        });
        expect("error of the event", Some(0), answer.exit_info_1)?;
        Ok((GuestRequestStatus::decode(answer.exit_info_2.unwrap_or(u64::MAX)), answer.rbx))
    }

    /// Opens the reply to the message that was sealed last.
    fn open<R: GuestRequest>(&mut self) -> Verdict<R::Response> {
        let mut reply = Box::new(GuestMessage::zeroed());
        self.response.load(0, reply.as_mut_bytes());
        let opened = self.channel.open::<R>(&mut reply);
        opened.map_err(|error| failed(format!("expected a reply, got: {error}")))
    }

    /// Asks for something that must be answered.
    fn ask<R: GuestRequest>(&mut self, bench: &Bench, request: &R) -> Verdict<R::Response> {
        let sealed = self.channel.seal(request, &mut self.message);
        sealed.map_err(|error| failed(format!("expected a sealed request, got: {error}")))?;
        expect("status", GuestRequestStatus::SUCCESS, self.send(bench)?)?;
        self.open::<R>()
    }
}

fn conversation(bench: &mut Bench) -> Verdict {
    let mut conversation = Conversation::new(bench, VmpckId(0))?;
    report(bench, &mut conversation)?;
    keys(bench, &mut conversation)?;
    cpuid(bench, &mut conversation)?;
    time(bench, &mut conversation)?;
    certificates(bench, &mut conversation)?;
    // The last message once more: it has been answered, so its number is not
    // the next one.
    let status = conversation.send(bench)?;
    require(status != GuestRequestStatus::SUCCESS, "an error", status)?;
    // The counter has not moved: what follows is answered.
    report(bench, &mut conversation)
}

fn report(bench: &Bench, conversation: &mut Conversation) -> Verdict {
    let data = core::array::from_fn(|index| index as u8 ^ 0x5a);
    let response = conversation.ask(bench, &ReportRequest::new(data, 0, KeySelection::ANY))?;
    let report =
        response.report().map_err(|error| failed(format!("expected a report, got: {error}")))?;
    expect("report data", data, report.report_data)?;
    expect("level", 0, report.vmpl)?;
    require(report.version() >= 2, "version 2 or later", report.version())?;
    require(report.measurement.as_bytes().iter().any(|byte| *byte != 0), "a measurement", 0)
}

fn keys(bench: &Bench, conversation: &mut Conversation) -> Verdict {
    let plain = DerivedKeyRequest::new(RootKey::ENDORSEMENT_KEY, 0);
    let mut measured = plain;
    measured.fields = GuestFields::MEASUREMENT;
    let lower = DerivedKeyRequest::new(RootKey::ENDORSEMENT_KEY, 1);
    let mut key = |request: &DerivedKeyRequest| {
        let response = conversation.ask(bench, request)?;
        let key = response.into_key();
        key.map_err(|status| failed(format!("expected a key, got: {status}")))
    };
    let first = key(&plain)?;
    // Keys are secrets, also where nothing depends on them: none is shown.
    let same =
        |one: &abi_snp::DerivedKey, other: &abi_snp::DerivedKey| one.expose() == other.expose();
    expect("the same key for the same request", true, same(&first, &key(&plain)?))?;
    expect("the same key with the measurement", false, same(&first, &key(&measured)?))?;
    expect("the same key for VMPL1", false, same(&first, &key(&lower)?))
}

fn cpuid(bench: &Bench, conversation: &mut Conversation) -> Verdict {
    let entries = bench.guest.cpuid.entries().unwrap_or_default();
    let request = CpuidRequest::new(entries).expect("a page has as many entries as a request");
    let response = conversation.ask(bench, &request)?;
    expect("status of the page's own values", FirmwareStatus::SUCCESS, response.status)
}

/// Asks for a report with certificates: without pages for them the request is
/// not passed on, and the same one is sent again.
fn certificates(bench: &mut Bench, conversation: &mut Conversation) -> Verdict {
    const MOST_PAGES: usize = 16;
    let request = ReportRequest::new([2; 64], 0, KeySelection::ANY);
    let sealed = conversation.channel.seal(&request, &mut conversation.message);
    sealed.map_err(|error| failed(format!("expected a sealed request, got: {error}")))?;
    let first = bench.shared_page()?;
    let (mut status, needed) = conversation.send_for_certificates(bench, first, 0)?;
    if status.hypervisor_error == GuestRequestStatus::INVALID_LENGTH {
        let needed = needed.unwrap_or(0) as usize;
        require((1..=MOST_PAGES).contains(&needed), "1 to 16 pages in RBX", needed)?;
        let mut pages = vec![first];
        while pages.len() < needed {
            pages.push(bench.shared_page()?);
        }
        let size = first.size().bytes();
        let is_next = |two: &[Page]| two.first().map(|page| page.gpa() + size);
        let in_a_row = pages.windows(2).all(|two| is_next(two) == two.last().map(|p| p.gpa()));
        assert!(in_a_row, "pages are handed out one after the other");
        (status, _) = conversation.send_for_certificates(bench, first, needed as u64)?;
        let mut bytes = vec![0; needed * size as usize];
        for (page, bytes) in pages.iter().zip(bytes.chunks_mut(size as usize)) {
            page.load(0, bytes);
        }
        let table = CertificateTable::parse(&bytes);
        let table = table.map_err(|error| failed(format!("expected a table, got: {error}")))?;
        require(table.certificates().count() != 0, "certificates", table)?;
    }
    expect("status", GuestRequestStatus::SUCCESS, status)?;
    let response = conversation.open::<ReportRequest>()?;
    require(response.report().is_ok(), "a report", response.report().err())
}

fn time(bench: &mut Bench, conversation: &mut Conversation) -> Verdict {
    let response = conversation.ask(bench, &TscInfoRequest::new())?;
    if bench.features().contains(abi_snp::SevFeatures::SECURE_TSC) {
        let info = response.info();
        require(info.is_ok_and(|info| info.scale != 0), "a scale", info)?;
        bench.tsc = info.ok();
    }
    Ok(())
}

fn level_above(bench: &mut Bench) -> Verdict {
    let mut conversation = Conversation::new(bench, VmpckId(1))?;
    let request = ReportRequest::new([1; 64], 0, KeySelection::ANY);
    let response = conversation.ask(bench, &request)?;
    expect("status", FirmwareStatus::INVALID_PARAMETER, response.status)
}
