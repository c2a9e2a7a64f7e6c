//! Why a page is not launched.

use abi_snp::FirmwareStatus;

use crate::cpuid::CpuidRefusal;
use crate::guest_memory::NoMemory;
use crate::reverse_map::{FirmwareRefusal, RefusalRule};

/// Why [`Launch::update`](crate::launch::Launch::update) refuses a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UpdateRefusal {
    /// The hypervisor cannot make the page immutable, so the security
    /// processor never gets to see it.
    #[error("RMPUPDATE does not hand the page over: {0}")]
    HandOver(RefusalRule),
    /// The page is not one that can be launched so.
    #[error("SNP_LAUNCH_UPDATE refuses the page: {0}")]
    Command(#[from] FirmwareRefusal),
    /// The CPUID page says what the processor does not.
    #[error("SNP_LAUNCH_UPDATE refuses the CPUID page: {0}")]
    Cpuid(#[from] CpuidRefusal),
    /// The reverse map covers the page, but there is no memory behind it.
    #[error("SNP_LAUNCH_UPDATE cannot write the page: {0}")]
    Memory(#[from] NoMemory),
}

impl UpdateRefusal {
    /// What firmware tells the host; `None` if it was not asked.
    #[must_use]
    pub const fn status(self) -> Option<FirmwareStatus> {
        Some(match self {
            Self::HandOver(_) => return None,
            Self::Command(FirmwareRefusal::InvalidParam) => FirmwareStatus::INVALID_PARAMETER,
            Self::Command(FirmwareRefusal::InvalidAddress) | Self::Memory(_) => {
                FirmwareStatus::INVALID_ADDRESS
            }
            Self::Command(FirmwareRefusal::InvalidPageSize) => FirmwareStatus::INVALID_PAGE_SIZE,
            Self::Command(FirmwareRefusal::InvalidPageState) => FirmwareStatus::INVALID_PAGE_STATE,
            Self::Cpuid(refusal) => refusal.status(),
        })
    }
}
