//! An exit, from the request to the answer, with a scenario in between.

use alloc::format;

use abi_snp::ghcb::{ExitCode as PageEvent, GuestFrame, MsrOperation, MsrRequest, SaveArea};

use crate::ghcb::{Answer as Served, Host, Next, Server};
use crate::gpa::Gpa;
use crate::guest_memory::GuestMemory;
use crate::hostile::answer::{Answer, Field};
use crate::hostile::hits::{Hit, Hits};
use crate::hostile::host::HostileHost;
use crate::hostile::occasion::Occasion;
use crate::hostile::scenario::Scenario;
use crate::hostile::tampering::Tampering;
use crate::processors::{ProcessorIndex, Target};
use crate::reverse_map::Encryption;

/// Serves an exit as [`Server::exit`] does, with what `scenario` wants done to
/// the request, on the way and to the answer.
///
/// An answer that comes later, when its level goes on, is not tampered with;
/// [`Scenario::entry`] is for those.
///
/// # Panics
///
/// As [`Server::exit`].
pub fn serve<H: Host>(
    scenario: &mut Scenario,
    server: &mut Server,
    processor: ProcessorIndex,
    ghcb_msr: u64,
    host: &mut H,
) -> Served {
    let running = server.processors().running(processor);
    let (Some(running), Some(asked)) = (running, Asked::of(ghcb_msr, host)) else {
        // Nothing that a rule could wait for; the server says what is wrong.
        return server.exit(processor, ghcb_msr, host);
    };
    let target = Target { processor, vmpl: running.vmpl };
    let hits = scenario.meet(target, asked.occasion());
    if let Some((rule, _)) = hits.verdict() {
        scenario.note_done(rule, format!("ignored ({hits})"));
        return Served { ghcb_msr, next: Next::Resume, evicted: None };
    }
    let ghcb_msr = asked.change(&hits, scenario, ghcb_msr, host);
    let mut hostile = HostileHost { host, scenario, target };
    let mut served = server.exit(processor, ghcb_msr, &mut hostile);
    if served.next == Next::Resume && !hits.is_empty() {
        match asked {
            Asked::Msr(_) => {
                let honest = Answer::of_word(Field::GhcbMsr, served.ghcb_msr);
                let answer = scenario.tamper(&hits, honest);
                served.ghcb_msr = answer.get(Field::GhcbMsr).unwrap_or(served.ghcb_msr);
                server.processors_mut().set_ghcb_msr(processor, served.ghcb_msr);
            }
            Asked::Page { frame, .. } => tamper_with_page(&hits, frame, scenario, host),
        }
    }
    served
}

/// What the guest asks for.
#[derive(Clone, Copy)]
enum Asked {
    Msr(MsrOperation),
    Page { event: PageEvent, frame: GuestFrame },
}

impl Asked {
    /// `None` if it cannot be made out.
    fn of<H: Host>(ghcb_msr: u64, host: &H) -> Option<Self> {
        match MsrRequest::decode(ghcb_msr).ok()? {
            MsrRequest::Ghcb(frame) => {
                let event = PageEvent(load(frame, host)?.exit_code?);
                Some(Self::Page { event, frame })
            }
            request => Some(Self::Msr(request.operation())),
        }
    }

    const fn occasion(self) -> Occasion {
        match self {
            Self::Msr(operation) => Occasion::MsrRequest(operation),
            Self::Page { event, frame } => {
                Occasion::PageRequest { event, page: Gpa(frame.address()) }
            }
        }
    }

    /// Changes the request as `hits` want. Returns what counts as the GHCB MSR
    /// then.
    fn change<H: Host>(
        self,
        hits: &Hits,
        scenario: &mut Scenario,
        mut ghcb_msr: u64,
        host: &mut H,
    ) -> u64 {
        for hit in hits.iter() {
            let Hit::Acts { rule, tampering: Tampering::Ask(field, value) } = hit else { continue };
            match self {
                Self::Msr(_) => ghcb_msr = *value,
                Self::Page { frame, .. } => {
                    let Some(mut request) = load(frame, host) else { continue };
                    set_word(&mut request, *field, *value);
                    store(frame, &request, host);
                }
            }
            let what = format!("served as if {field} had been {value:#x} ({hits})");
            scenario.note_done(*rule, what);
        }
        ghcb_msr
    }
}

/// Changes the answer in a GHCB page.
fn tamper_with_page<H: Host>(
    hits: &Hits,
    frame: GuestFrame,
    scenario: &mut Scenario,
    host: &mut H,
) {
    // The request may have made the page private.
    let Some(mut page) = load(frame, host) else { return };
    let honest = Answer::of_words(
        WORDS.into_iter().filter_map(|field| Some((field, *word(&mut page, field)?.as_ref()?))),
    );
    let answer = scenario.tamper(hits, honest);
    for field in WORDS {
        if let Some(word) = word(&mut page, field) {
            *word = answer.get(field);
        }
    }
    store(frame, &page, host);
}

/// Words of the page that answers have.
const WORDS: [Field; 6] =
    [Field::Rax, Field::Rbx, Field::Rcx, Field::Rdx, Field::ExitInfo1, Field::ExitInfo2];

fn word(page: &mut SaveArea, field: Field) -> Option<&mut Option<u64>> {
    Some(match field {
        Field::Rax => &mut page.rax,
        Field::Rbx => &mut page.rbx,
        Field::Rcx => &mut page.rcx,
        Field::Rdx => &mut page.rdx,
        Field::ExitInfo1 => &mut page.exit_info_1,
        Field::ExitInfo2 => &mut page.exit_info_2,
        _ => return None,
    })
}

fn set_word(page: &mut SaveArea, field: Field, value: u64) {
    if let Some(word) = word(page, field) {
        *word = Some(value);
    }
}

/// What a GHCB page says; `None` if it is not shared memory.
fn load<H: Host>(frame: GuestFrame, host: &H) -> Option<SaveArea> {
    if !host.is_shared(frame) {
        return None;
    }
    let mut result = Ok(());
    let page = SaveArea::load(|offset| {
        let mut bytes = [0; 8];
        let read = host.read(address(frame, offset), Encryption::Shared, &mut bytes);
        result = result.and(read);
        u64::from_le_bytes(bytes)
    });
    result.ok().map(|()| page)
}

/// Writes to a GHCB page that was read before.
fn store(frame: GuestFrame, page: &SaveArea, host: &mut impl GuestMemory) {
    page.store(|offset, value| {
        // It was shared memory when it was read, and nothing has happened since.
        let written = host.write(address(frame, offset), Encryption::Shared, &value.to_le_bytes());
        assert!(written.is_ok(), "a page that could be read can be written");
    });
}

/// The address of an offset within the page. Cannot overflow: frames end at
/// 2^52.
const fn address(frame: GuestFrame, offset: usize) -> Gpa {
    Gpa(frame.address() + offset as u64)
}
