//! Messages to the security processor.

use abi_snp::ghcb::{ExitCode, GuestRequestStatus, SaveArea, ValidFields};
use abi_snp::{
    CpuidRequest, DerivedKeyRequest, FirmwareStatus, GuestFields, GuestMessage, GuestRequest,
    KeySelection, ReportRequest, RootKey, TscInfoRequest, VmpckId,
};
use alloc::boxed::Box;
use alloc::format;
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
        hardware: "reports, keys, time and CPUID by one key: the report has what was asked for and \
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

    /// Asks for something that must be answered.
    fn ask<R: GuestRequest>(&mut self, bench: &Bench, request: &R) -> Verdict<R::Response> {
        let sealed = self.channel.seal(request, &mut self.message);
        sealed.map_err(|error| failed(format!("expected a sealed request, got: {error}")))?;
        expect("status", GuestRequestStatus::SUCCESS, self.send(bench)?)?;
        let mut reply = Box::new(GuestMessage::zeroed());
        self.response.load(0, reply.as_mut_bytes());
        let opened = self.channel.open::<R>(&mut reply);
        opened.map_err(|error| failed(format!("expected a reply, got: {error}")))
    }
}

fn conversation(bench: &mut Bench) -> Verdict {
    let mut conversation = Conversation::new(bench, VmpckId(0))?;
    report(bench, &mut conversation)?;
    keys(bench, &mut conversation)?;
    cpuid(bench, &mut conversation)?;
    time(bench, &mut conversation)?;
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

fn time(bench: &Bench, conversation: &mut Conversation) -> Verdict {
    let response = conversation.ask(bench, &TscInfoRequest::new())?;
    if bench.features().contains(abi_snp::SevFeatures::SECURE_TSC) {
        let info = response.info();
        return require(info.is_ok_and(|info| info.scale != 0), "a scale", info);
    }
    Ok(())
}

fn level_above(bench: &mut Bench) -> Verdict {
    let mut conversation = Conversation::new(bench, VmpckId(1))?;
    let request = ReportRequest::new([1; 64], 0, KeySelection::ANY);
    let response = conversation.ask(bench, &request)?;
    expect("status", FirmwareStatus::INVALID_PARAMETER, response.status)
}
