//! A request by the page, on its way to the one who serves it.

use abi_snp::ghcb::{GuestFrame, MalformedInput, NaeRequest, SaveArea};

use crate::processors::ProcessorIndex;

/// A request that has passed the checks which all events have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PageEvent {
    /// Who asks.
    pub(super) processor: ProcessorIndex,
    /// The page that holds the request.
    pub(super) ghcb: GuestFrame,
    /// The event, with its two words of details.
    pub(super) request: NaeRequest,
    /// The registers that came along.
    pub(super) registers: SaveArea,
}

impl PageEvent {
    pub(super) fn rax(&self) -> Result<u64, MalformedInput> {
        self.registers.rax.ok_or(MalformedInput::MISSING_INPUT)
    }

    pub(super) fn rbx(&self) -> Result<u64, MalformedInput> {
        self.registers.rbx.ok_or(MalformedInput::MISSING_INPUT)
    }

    pub(super) fn rcx(&self) -> Result<u64, MalformedInput> {
        self.registers.rcx.ok_or(MalformedInput::MISSING_INPUT)
    }

    pub(super) fn rdx(&self) -> Result<u64, MalformedInput> {
        self.registers.rdx.ok_or(MalformedInput::MISSING_INPUT)
    }
}
