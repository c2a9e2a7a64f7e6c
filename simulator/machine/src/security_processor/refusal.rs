//! Why a request is not answered at all.

use abi_snp::{FirmwareStatus, MessageType};
use snp_messages::{RequestError, ResponseError};

/// Why a request is not answered: the host gets a status instead of a message,
/// and the request was not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestRefusal {
    /// The message cannot be opened.
    #[error(transparent)]
    Message(#[from] RequestError),
    /// Nobody here answers such messages.
    #[error("a message of type {0} is not one that is answered")]
    UnknownType(MessageType),
    /// The payload has a format that is not known.
    #[error("a {message_type} of version {found}: only version {known} is known")]
    Version {
        /// What is asked for.
        message_type: MessageType,
        /// The version that it has.
        found: u8,
        /// The only version there is.
        known: u8,
    },
    /// The payload is too short for what is asked for.
    #[error("a {message_type} of {found} bytes, which should have {least} at least")]
    TooShort {
        /// What is asked for.
        message_type: MessageType,
        /// Bytes that there are.
        found: usize,
        /// Bytes that it takes.
        least: usize,
    },
    /// The answer cannot be sealed.
    #[error(transparent)]
    Response(#[from] ResponseError),
}

impl RequestRefusal {
    /// What firmware tells the host.
    #[must_use]
    pub const fn status(&self) -> FirmwareStatus {
        match self {
            Self::Message(error) => error.status(),
            Self::UnknownType(_)
            | Self::Version { .. }
            | Self::TooShort { .. }
            | Self::Response(_) => FirmwareStatus::INVALID_PARAMETER,
        }
    }
}
