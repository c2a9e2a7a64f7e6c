//! Reads what a rule does.

use abi_snp::{PageSize, Vmpl};
use abi_x86::ExceptionVector;

use crate::gpa::Gpa;
use crate::hostile::answer::Field;
use crate::hostile::deed::{Deed, Injection};
use crate::hostile::error::ScenarioProblem;
use crate::hostile::place::{Place, Who};
use crate::hostile::rule::Action;
use crate::hostile::tampering::Tampering;
use crate::hostile::words::{Words, parse_number, unexpected};

const ACTIONS: &str = "an action (set, xor, corrupt, replay, ask, deny, ignore, delay, inject, \
                       remap, map-back, take, give, swap, write, start or run)";
const FIELDS: &str = "a field (eax, ebx, ecx, edx, rax, rbx, rcx, rdx, exit-info-1, exit-info-2, \
                      ghcb-msr, value or status)";
const INJECTIONS: &str = "interrupt, nmi or exception";
const PLACES: &str = "an address, `it` or `it+OFFSET`";

pub(super) fn read_action(words: &mut Words<'_>) -> Result<Action, ScenarioProblem> {
    let deed = match words.next(ACTIONS)? {
        "set" => {
            return read_field(words).map(|(field, value)| tamper(Tampering::Set(field, value)));
        }
        "xor" => return read_field(words).map(|(field, bits)| tamper(Tampering::Xor(field, bits))),
        "ask" => {
            return read_field(words).map(|(field, value)| tamper(Tampering::Ask(field, value)));
        }
        "corrupt" => return read_corrupt(words).map(tamper),
        "replay" => return Ok(tamper(Tampering::Replay)),
        "deny" => return Ok(tamper(Tampering::Deny)),
        "ignore" => return Ok(tamper(Tampering::Ignore)),
        "delay" => return read_exits(words).map(|exits| tamper(Tampering::Delay(exits))),
        "inject" => read_injection(words)?,
        "remap" => Deed::Remap(read_place(words)?),
        "map-back" => Deed::MapBack(read_place(words)?),
        "take" => Deed::Take(read_place(words)?),
        "give" => Deed::Give(read_place(words)?),
        "swap" => Deed::Swap(read_place(words)?, read_place(words)?),
        "write" => Deed::Write { place: read_place(words)?, bytes: words.bytes()? },
        "start" => {
            let processor = Who::Number(read_processor(words)?);
            let vmpl = read_vmpl(words)?;
            words.demand("save-area")?;
            Deed::Start { processor, vmpl, save_area: read_place(words)? }
        }
        "run" => {
            let processor = Who::Number(read_processor(words)?);
            Deed::Run { processor, vmpl: read_vmpl(words)? }
        }
        word => return Err(unexpected(word, ACTIONS)),
    };
    let after_exits = if words.take("after") { read_exits(words)? } else { 0 };
    Ok(Action::Do { deed, after_exits })
}

/// `processor N`.
pub(super) fn read_processor(words: &mut Words<'_>) -> Result<u32, ScenarioProblem> {
    words.demand("processor")?;
    words.number_32("processor number")
}

/// `vmpl N`.
pub(super) fn read_vmpl(words: &mut Words<'_>) -> Result<Vmpl, ScenarioProblem> {
    const LEVELS: &str = "a privilege level, 0 to 3";
    words.demand("vmpl")?;
    let word = words.peek().unwrap_or_default();
    Vmpl::from_number(words.number_8(LEVELS)?).ok_or_else(|| unexpected(word, LEVELS))
}

const fn tamper(tampering: Tampering) -> Action {
    Action::Tamper(tampering)
}

/// `N exits`, or `1 exit`.
fn read_exits(words: &mut Words<'_>) -> Result<u64, ScenarioProblem> {
    let exits = words.number("a number of exits", u64::MAX)?;
    if !words.take("exit") {
        words.demand("exits")?;
    }
    Ok(exits)
}

/// `FIELD VALUE`.
fn read_field(words: &mut Words<'_>) -> Result<(Field, u64), ScenarioProblem> {
    let word = words.next(FIELDS)?;
    let field = Field::of_word(word).ok_or_else(|| unexpected(word, FIELDS))?;
    Ok((field, words.number("value", field.limit())?))
}

/// `OFFSET BITS`.
fn read_corrupt(words: &mut Words<'_>) -> Result<Tampering, ScenarioProblem> {
    let page = PageSize::Size4K.bytes();
    let offset = words.number("offset in a page", page - 1)?;
    let bits = words.bytes()?;
    let length = bits.len();
    if offset + length as u64 > page {
        return Err(ScenarioProblem::BeyondPage { offset, length });
    }
    Ok(Tampering::Corrupt { offset: offset as usize, bits })
}

/// `interrupt V`, `nmi` or `exception V [code C]`, and `[into processor N]`.
fn read_injection(words: &mut Words<'_>) -> Result<Deed<Place, Who>, ScenarioProblem> {
    let injection = match words.next(INJECTIONS)? {
        "interrupt" => Injection::Interrupt(words.number_8("vector")?),
        "nmi" => Injection::NonMaskable,
        "exception" => {
            let number = words.number("exception", 31)?;
            if matches!(number, 2 | 21 | 30) {
                return Err(ScenarioProblem::Exception(number));
            }
            let vector = ExceptionVector(number as u8);
            let code = if words.take("code") { words.number_32("error code")? } else { 0 };
            Injection::Exception { vector, code }
        }
        word => return Err(unexpected(word, INJECTIONS)),
    };
    let processor = if words.take("into") { Who::Number(read_processor(words)?) } else { Who::It };
    Ok(Deed::Inject { processor, injection })
}

/// An address, `it`, or `it+OFFSET`.
fn read_place(words: &mut Words<'_>) -> Result<Place, ScenarioProblem> {
    let word = words.peek().unwrap_or_default();
    let Some(offset) = word.strip_prefix("it") else {
        return words.number(PLACES, u64::MAX).map(|gpa| Place::At(Gpa(gpa)));
    };
    words.next(PLACES)?;
    if offset.is_empty() {
        return Ok(Place::It(0));
    }
    let offset = offset.strip_prefix('+').and_then(parse_number);
    let offset = offset.and_then(|offset| u64::try_from(offset).ok());
    offset.map(Place::It).ok_or_else(|| unexpected(word, PLACES))
}
