//! What can be wrong with a value of the GHCB MSR.

use crate::ghcb::msr::operation::MsrOperation;

/// Why a value is no request or no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MsrDecodeError {
    /// Bits 11:0 name no request.
    #[error("GHCB MSR: {0} is no request")]
    NotARequest(MsrOperation),
    /// Bits 11:0 name no response.
    #[error("GHCB MSR: {0} is no response")]
    NotAResponse(MsrOperation),
    /// Bits are set that are reserved for this operation.
    #[error("GHCB MSR: {operation} has reserved bits {bits:#x} set")]
    ReservedBits {
        /// The operation.
        operation: MsrOperation,
        /// The reserved bits that are set, at their places.
        bits: u64,
    },
    /// A frame number of 2^40 or more.
    #[error("GHCB MSR: {operation} has frame number {number:#x}, at most 40 bits are possible")]
    FrameNumber {
        /// The operation.
        operation: MsrOperation,
        /// The frame number.
        number: u64,
    },
    /// A page state that the MSR protocol does not have.
    #[error("GHCB MSR: page state change request has operation {0}, possible are 1 and 2")]
    PageAssignment(u8),
    /// A privilege level that does not exist.
    #[error("GHCB MSR: run VMPL request has level {0}, possible are 0 to 3")]
    Vmpl(u8),
}

impl MsrDecodeError {
    /// Checks that of bits 63:12 of `value` only those in `used` are set.
    pub(super) const fn check_reserved(value: u64, used: u64) -> Result<(), Self> {
        let operation = MsrOperation::of(value);
        let bits = value & !operation.bits() & !used;
        if bits == 0 { Ok(()) } else { Err(Self::ReservedBits { operation, bits }) }
    }
}
