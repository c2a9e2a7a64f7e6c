//! How an event went: `SW_EXITINFO1` and `SW_EXITINFO2` of an answer.

use core::fmt;

use crate::ghcb::event::exception::RequestedException;
use crate::ghcb::save_area::SaveArea;

/// What a hypervisor answers to an event, apart from registers [GHCB 56421 2.04
/// §4.1]. Bits 31:0 of `SW_EXITINFO1` tell which of these it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitOutcome {
    /// 0: nothing more to do, and what `SW_EXITINFO2` means depends on the
    /// event; it can still tell of a failure.
    Done(u64),
    /// 1: deliver this exception.
    Exception(RequestedException),
    /// 2: the request was malformed.
    MalformedInput(MalformedInput),
}

impl ExitOutcome {
    /// Value of `SW_EXITINFO1` for [`Self::Done`].
    pub(super) const DONE: u32 = 0;
    /// Value of `SW_EXITINFO1` for [`Self::Exception`].
    pub(super) const EXCEPTION: u32 = 1;
    /// Value of `SW_EXITINFO1` for [`Self::MalformedInput`].
    pub(super) const MALFORMED_INPUT: u32 = 2;

    /// The answer, without any registers yet.
    #[must_use]
    pub const fn answer(self) -> SaveArea {
        match self {
            Self::Done(exit_info_2) => SaveArea::answer(Self::DONE as u64, exit_info_2),
            Self::Exception(exception) => {
                SaveArea::answer(Self::EXCEPTION as u64, exception.encode())
            }
            Self::MalformedInput(reason) => {
                SaveArea::answer(Self::MALFORMED_INPUT as u64, reason.0)
            }
        }
    }
}

/// Open enumeration of what can be wrong with a request [GHCB 56421 2.04 §4.1,
/// the error codes that go with `SW_EXITINFO1` = 2].
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct MalformedInput(pub u64);

impl MalformedInput {
    /// The page is not the one that was registered.
    pub const NOT_REGISTERED: Self = Self(1);
    /// The hypervisor does not know this usage of the page.
    pub const INVALID_USAGE: Self = Self(2);
    /// `SW_SCRATCH` is no address of a suitable buffer.
    pub const INVALID_SCRATCH_AREA: Self = Self(3);
    /// A field that the event needs is not marked as valid.
    pub const MISSING_INPUT: Self = Self(4);
    /// A field that the event needs has an impossible value.
    pub const INVALID_INPUT: Self = Self(5);
    /// The hypervisor does not know this event.
    pub const INVALID_EVENT: Self = Self(6);

    /// The reason in words, if it is one that this version knows.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::NOT_REGISTERED => "GHCB not registered",
            Self::INVALID_USAGE => "invalid GHCB usage",
            Self::INVALID_SCRATCH_AREA => "invalid scratch area",
            Self::MISSING_INPUT => "missing input",
            Self::INVALID_INPUT => "invalid input",
            Self::INVALID_EVENT => "invalid event",
            _ => return None,
        })
    }
}

impl fmt::Display for MalformedInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => write!(f, "unknown reason ({:#x})", self.0),
        }
    }
}

impl fmt::Debug for MalformedInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString;

    use super::*;

    #[test]
    fn answers_are_two_words() {
        for (outcome, words) in [
            (ExitOutcome::Done(0x55), (0, 0x55)),
            (ExitOutcome::Exception(RequestedException::InvalidOpcode), (1, 0x8000_0306)),
            (ExitOutcome::MalformedInput(MalformedInput::MISSING_INPUT), (2, 4)),
        ] {
            assert_eq!(outcome.answer(), SaveArea::answer(words.0, words.1));
        }
    }

    #[test]
    fn reasons_in_words() {
        let names: [_; 6] = core::array::from_fn(|i| MalformedInput(i as u64 + 1).to_string());
        let expected = [
            "GHCB not registered",
            "invalid GHCB usage",
            "invalid scratch area",
            "missing input",
            "invalid input",
            "invalid event",
        ];
        assert_eq!(names, expected);
        assert_eq!(MalformedInput(0).to_string(), "unknown reason (0x0)");
    }
}
