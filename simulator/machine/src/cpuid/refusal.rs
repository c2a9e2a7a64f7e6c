//! Why the security processor does not accept CPUID values.

use abi_snp::{CpuidPage, FirmwareStatus};

/// What is wrong with CPUID values that the host vouches for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CpuidRefusal {
    /// There are more entries than a page can hold.
    #[error("the CPUID page claims more than {max} entries", max = CpuidPage::CAPACITY)]
    TooMany,
    /// Reserved bytes before the entries are not zero.
    #[error("reserved bytes of the CPUID page are not zero")]
    Reserved,
    /// An entry promises what the processor does not have, says something else
    /// than the processor where it must not, or has reserved bytes that are
    /// not zero.
    #[error("the values for CPUID leaf {leaf:#x}, subleaf {subleaf:#x}, are not this processor's")]
    Incorrect {
        /// The first such entry's leaf.
        leaf: u32,
        /// Its subleaf.
        subleaf: u32,
    },
}

impl CpuidRefusal {
    /// What firmware tells the host.
    #[must_use]
    pub const fn status(self) -> FirmwareStatus {
        FirmwareStatus::INVALID_PARAMETER
    }
}
