//! Why a message was not carried.

use abi_snp::FirmwareStatus;
use abi_snp::ghcb::NaeError;

use crate::memory::ShareError;

/// Why there is no way to the security processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoCarrierError {
    /// The machine is not one of AMD SEV-SNP.
    #[error("this platform has no security processor")]
    Unsupported,
    /// There are no pages to share with the host.
    #[error(transparent)]
    Share(#[from] ShareError),
}

/// What the host says of a message that it has not carried, or that has not been
/// answered. None of it can be proved: the security processor may have taken the
/// message and answered, whatever the host says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CarryError {
    /// It has not passed the message on, and will if it is asked again later.
    #[error("the host is busy")]
    Busy,
    /// It has not passed the message on, because its certificates take this many
    /// pages.
    #[error("the host has certificates of {0} pages")]
    TooFewPages(u64),
    /// The security processor has made nothing of the message.
    #[error("the host says that the security processor refuses the message: {0}")]
    Refused(FirmwareStatus),
    /// An error that is not defined.
    #[error("the host reports the unknown error {0:#x}")]
    Unknown(u32),
    /// The host has not answered as the protocol has it.
    #[error("{0}")]
    Answer(#[from] NaeError),
}
