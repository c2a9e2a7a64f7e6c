//! Reads what a rule waits for.

use abi_snp::PageSize;
use abi_snp::ghcb::{ExitCode as PageEvent, MsrOperation, PageOperation};
use abi_x86::Msr;

use crate::gpa::Gpa;
use crate::hostile::error::ScenarioProblem;
use crate::hostile::trigger::{PageRange, Trigger};
use crate::hostile::vocabulary;
use crate::hostile::words::{Words, parse_number, unexpected};

const TRIGGERS: &str = "a trigger (time, exit, enter, msr-request, page-request, cpuid, read-msr, \
                        write-msr, read-port, write-port, page-state or guest-request)";

pub(super) fn read_trigger(words: &mut Words<'_>) -> Result<Trigger, ScenarioProblem> {
    Ok(match words.next(TRIGGERS)? {
        "time" => Trigger::Time(words.duration_ns()?),
        "exit" => Trigger::Exit(read_code(words, EXITS, |name| {
            vocabulary::exit(name).or_else(|| number(name).map(abi_svm::ExitCode))
        })?),
        "enter" => Trigger::Entry,
        "msr-request" => Trigger::MsrRequest(read_code(words, MSR_REQUESTS, |name| {
            let by_number = || Some(MsrOperation(u16::try_from(number(name)?).ok()?));
            vocabulary::msr_request(name).or_else(by_number)
        })?),
        "page-request" => Trigger::PageRequest(read_code(words, PAGE_REQUESTS, |name| {
            vocabulary::page_event(name).or_else(|| number(name).map(PageEvent))
        })?),
        "cpuid" => {
            let leaf = any_or(words, |words| words.number_32("CPUID leaf"))?;
            let subleaf =
                words.take("subleaf").then(|| words.number_32("CPUID subleaf")).transpose()?;
            Trigger::Cpuid { leaf, subleaf }
        }
        "read-msr" => Trigger::ReadMsr(any_or(words, read_msr)?),
        "write-msr" => Trigger::WriteMsr(any_or(words, read_msr)?),
        "read-port" => Trigger::ReadPort(any_or(words, |words| words.number_16("port"))?),
        "write-port" => {
            let port = any_or(words, |words| words.number_16("port"))?;
            let value = words.take("value").then(|| words.number_32("value")).transpose()?;
            Trigger::WritePort { port, value }
        }
        "page-state" => read_page_state(words)?,
        "guest-request" => Trigger::GuestRequest,
        word => return Err(unexpected(word, TRIGGERS)),
    })
}

const EXITS: &str = "an exit code by name or number, or `any`";
const MSR_REQUESTS: &str = "a request by the GHCB MSR by name or number, or `any`";
const PAGE_REQUESTS: &str = "an event of the GHCB page by name or number, or `any`";
const OPERATIONS: &str = "private, shared, split, join or any";

fn read_page_state(words: &mut Words<'_>) -> Result<Trigger, ScenarioProblem> {
    let operation = match words.next(OPERATIONS)? {
        "any" => None,
        "private" => Some(PageOperation::Private),
        "shared" => Some(PageOperation::Shared),
        "split" => Some(PageOperation::Psmash),
        "join" => Some(PageOperation::Unsmash),
        word => return Err(unexpected(word, OPERATIONS)),
    };
    let begins_with_digit = |word: &str| word.starts_with(|c: char| c.is_ascii_digit());
    let pages = if words.peek().is_some_and(begins_with_digit) {
        let first = words.number("address", u64::MAX)?;
        let last = if words.take("to") { words.number("address", u64::MAX)? } else { first };
        if last < first {
            return Err(ScenarioProblem::EmptyRange);
        }
        let last = Gpa(last).page(PageSize::Size4K).0 | (PageSize::Size4K.bytes() - 1);
        Some(PageRange { first: Gpa(first).page(PageSize::Size4K), last: Gpa(last) })
    } else {
        None
    };
    Ok(Trigger::PageState { operation, pages })
}

fn read_msr(words: &mut Words<'_>) -> Result<Msr, ScenarioProblem> {
    words.number_32("MSR number").map(Msr)
}

/// `any`, or what `read` reads.
fn any_or<T>(
    words: &mut Words<'_>,
    read: impl FnOnce(&mut Words<'_>) -> Result<T, ScenarioProblem>,
) -> Result<Option<T>, ScenarioProblem> {
    if words.take("any") { Ok(None) } else { read(words).map(Some) }
}

/// `any`, or a code that `find` knows.
fn read_code<T>(
    words: &mut Words<'_>,
    expected: &'static str,
    find: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, ScenarioProblem> {
    match words.next(expected)? {
        "any" => Ok(None),
        name => find(name).map(Some).ok_or_else(|| unexpected(name, expected)),
    }
}

fn number(word: &str) -> Option<u64> {
    u64::try_from(parse_number(word)?).ok()
}
