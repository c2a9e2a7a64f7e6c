//! Why there is no answer.

use abi_snp::{FirmwareStatus, ReportError};

/// Why a request has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// There is no conversation with a security processor: not on this platform,
    /// or there was no key or no memory for it at the start. The log says which.
    #[error("there is no way to the security processor")]
    Unavailable,
    /// The key is gone for good: messages were lost or changed on the way, or
    /// the host was busy for too long. Only a new launch brings another one.
    #[error("the key of messages to the security processor is lost, until the next launch")]
    KeyLost,
    /// The security processor has understood the request and refuses it.
    #[error("the security processor refuses: {0}")]
    Refused(FirmwareStatus),
    /// It has answered with a report that this version cannot read.
    #[error(transparent)]
    Report(#[from] ReportError),
}
