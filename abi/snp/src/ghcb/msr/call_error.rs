//! Why a value of the GHCB MSR is not the answer that was asked for.

use crate::ghcb::msr::decode_error::MsrDecodeError;
use crate::ghcb::msr::operation::MsrOperation;
use crate::ghcb::msr::request::MsrRequest;

/// A request that was not answered as it should have been. The hypervisor is to
/// blame, if not for a lie, then for not doing its part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("hypervisor: {} got {value:#x}: {fault}", .request.operation())]
pub struct MsrCallError {
    /// What was asked.
    pub request: MsrRequest,
    /// What the register held afterwards.
    pub value: u64,
    /// What is wrong with that.
    pub fault: MsrCallFault,
}

/// What is wrong with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MsrCallFault {
    /// The register still holds the request: the hypervisor did nothing.
    #[error("not answered at all")]
    Unanswered,
    /// The value is no response.
    #[error(transparent)]
    Malformed(#[from] MsrDecodeError),
    /// A response to another kind of request, given here.
    #[error("{0} answers something else")]
    OtherOperation(MsrOperation),
    /// A response about another register or page than the request named.
    #[error("it is about another register or page")]
    OtherSubject,
    /// The hypervisor says no.
    #[error("refused")]
    Refused,
    /// The hypervisor says no, with a number of its own.
    #[error("refused with error {0:#x}")]
    RefusedWith(u32),
}
