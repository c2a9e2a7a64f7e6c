//! What a rule does to an answer, or to a request before it is served.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::hostile::answer::Field;
use crate::hostile::trigger::Trigger;

/// What a rule does to an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Tampering {
    /// A word of it becomes this.
    Set(Field, u64),
    /// Bits of a word change.
    Xor(Field, u64),
    /// Bits of the page that goes along change, from an offset on. They do not
    /// reach beyond a page.
    Corrupt { offset: usize, bits: Vec<u8> },
    /// It becomes what the host would have answered the time before.
    Replay,
    /// The request is served as if this word of it had been another.
    Ask(Field, u64),
    /// The request is refused.
    Deny,
    /// Nothing is done; the answer is that of success, or what was there.
    Ignore,
    /// The answer is that of success, and it is done so many exits later.
    Delay(u64),
}

impl Tampering {
    /// How scenarios write it, without its values.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Set(field, _) => format!("set {field}"),
            Self::Xor(field, _) => format!("xor {field}"),
            Self::Ask(field, _) => format!("ask {field}"),
            Self::Corrupt { .. } => "corrupt".to_string(),
            Self::Replay => "replay".to_string(),
            Self::Deny => "deny".to_string(),
            Self::Ignore => "ignore".to_string(),
            Self::Delay(_) => "delay".to_string(),
        }
    }

    /// Whether this can be done when `trigger` holds.
    pub(super) fn fits(&self, trigger: Trigger) -> bool {
        match self {
            Self::Set(field, _) | Self::Xor(field, _) => answered(trigger).contains(field),
            Self::Replay => !answered(trigger).is_empty() && trigger != Trigger::Entry,
            Self::Corrupt { .. } => trigger == Trigger::GuestRequest,
            Self::Ask(field, _) => match trigger {
                Trigger::MsrRequest(_) => *field == Field::GhcbMsr,
                Trigger::PageRequest(_) => PAGE_WORDS.contains(field),
                _ => false,
            },
            Self::Deny => matches!(
                trigger,
                Trigger::PageState { .. } | Trigger::ReadMsr(_) | Trigger::WriteMsr(_)
            ),
            Self::Ignore => matches!(
                trigger,
                Trigger::PageState { .. }
                    | Trigger::WriteMsr(_)
                    | Trigger::WritePort { .. }
                    | Trigger::GuestRequest
                    | Trigger::MsrRequest(_)
                    | Trigger::PageRequest(_)
            ),
            Self::Delay(_) => matches!(trigger, Trigger::PageState { .. }),
        }
    }
}

/// Words of the GHCB page that take part in requests and answers.
const PAGE_WORDS: &[Field] =
    &[Field::Rax, Field::Rbx, Field::Rcx, Field::Rdx, Field::ExitInfo1, Field::ExitInfo2];

/// The words that an answer has when `trigger` holds.
const fn answered(trigger: Trigger) -> &'static [Field] {
    match trigger {
        Trigger::Cpuid { .. } => &[Field::Eax, Field::Ebx, Field::Ecx, Field::Edx],
        Trigger::ReadMsr(_) | Trigger::ReadPort(_) => &[Field::Value],
        Trigger::GuestRequest => &[Field::Status],
        Trigger::MsrRequest(_) | Trigger::Entry => &[Field::GhcbMsr],
        Trigger::PageRequest(_) => PAGE_WORDS,
        _ => &[],
    }
}
