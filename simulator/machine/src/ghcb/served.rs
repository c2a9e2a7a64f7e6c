//! What an event comes to.

use abi_snp::ghcb::{ExitOutcome, MalformedInput, RequestedException, SaveArea};

use crate::ghcb::answer::Stop;
use crate::ghcb::host::GeneralProtection;
use crate::processors::ProcessorIndex;

/// What follows from an event that took place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Served {
    /// This answer goes into the page.
    Answer(SaveArea),
    /// An answer goes into the page, and this processor leaves its save area.
    Evicted(SaveArea, ProcessorIndex),
    /// The answer comes later, when the level goes on.
    Later,
    /// The guest is at its end.
    Stop(Stop),
}

/// Why an event did not take place. The answer goes into the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The request is wrong.
    Malformed(MalformedInput),
    /// The instruction ends in an exception.
    Exception(RequestedException),
}

/// What serving an event gives: the registers of an answer.
pub(super) type EventResult = Result<SaveArea, Refusal>;

/// An answer without registers, and with nothing to say.
pub(super) const DONE: SaveArea = ExitOutcome::Done(0).answer();

impl Refusal {
    pub(super) const INVALID_INPUT: Self = Self::Malformed(MalformedInput::INVALID_INPUT);

    pub(super) const fn answer(self) -> SaveArea {
        match self {
            Self::Malformed(reason) => ExitOutcome::MalformedInput(reason),
            Self::Exception(exception) => ExitOutcome::Exception(exception),
        }
        .answer()
    }
}

impl From<SaveArea> for Served {
    fn from(answer: SaveArea) -> Self {
        Self::Answer(answer)
    }
}

impl From<MalformedInput> for Refusal {
    fn from(reason: MalformedInput) -> Self {
        Self::Malformed(reason)
    }
}

impl From<GeneralProtection> for Refusal {
    fn from(GeneralProtection: GeneralProtection) -> Self {
        Self::Exception(RequestedException::GeneralProtection { error_code: 0 })
    }
}
