//! The processor, its security processor and their firmware, as a guest and a
//! verifier see them.

use abi_snp::{FirmwareVersion, PlatformInfo, TcbVersion};
use bitflags::bitflags;

use crate::cpuid::Cpuid;

/// The version of the attestation reports that the firmware writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReportVersion {
    /// Without the processor's model.
    Version2,
    /// With the processor's model.
    Version3,
    /// With the vectors of mitigations, too.
    Version5,
}

bitflags! {
    /// What the host hides of the chip [SNP ABI 56860, SNP_CONFIG].
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct ChipMasks: u8 {
        /// `MASK_CHIP_ID`: the chip's identifier in reports is zero.
        const CHIP_ID = 1 << 0;
        /// `MASK_CHIP_KEY`: the VCEK neither signs nor is derived from.
        const CHIP_KEY = 1 << 1;
    }
}

/// A platform.
#[derive(Clone, Debug)]
pub struct Platform {
    /// What CPUID says; names the processor's model.
    pub cpuid: Cpuid,
    /// The firmware that is running. Its version of the ABI is the greatest
    /// that a guest's policy can demand.
    pub firmware: FirmwareVersion,
    /// The firmware that cannot be gone back from.
    pub committed_firmware: FirmwareVersion,
    /// `CURRENT_TCB`: what is running.
    pub current_tcb: TcbVersion,
    /// `COMMITTED_TCB`: what cannot be gone back from.
    pub committed_tcb: TcbVersion,
    /// `REPORTED_TCB`: what the signing keys are bound to.
    pub reported_tcb: TcbVersion,
    /// Which weaknesses the firmware has remedied.
    pub mitigations: u64,
    /// What the machine is like. A guest's policy is checked against it.
    pub info: PlatformInfo,
    /// Identifies the chip.
    pub chip_id: [u8; 64],
    /// What the host hides of the chip.
    pub masks: ChipMasks,
    /// The version of attestation reports.
    pub report_version: ReportVersion,
    /// Nominal frequency of the time stamp counter in kHz, not 0 where a guest
    /// wants another one.
    pub tsc_khz: u32,
    /// By how many hundred-thousandths the mean frequency of the time stamp
    /// counter is below the nominal one.
    pub tsc_factor: u32,
}
