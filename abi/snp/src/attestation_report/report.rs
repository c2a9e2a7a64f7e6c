//! The report itself, in the versions that firmware has written so far.
//!
//! All versions have the same size and most fields in common: later ones use
//! bytes that were reserved before. What only some versions have is reached
//! through accessors that look at the version.

use core::fmt;

use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::attestation_report::key_info::KeyInfo;
use crate::attestation_report::platform_info::PlatformInfo;
use crate::attestation_report::processor::ProcessorModel;
use crate::attestation_report::tcb_version::{TcbLayout, TcbVersion};
use crate::digest::Digest;
use crate::ecdsa::{EcdsaSignature, KeyAlgorithm};
use crate::policy::Policy;

/// How many bytes of a report its signature covers, from the first one on.
pub const SIGNED_SIZE: usize = 0x2a0;

/// Version of the security processor's firmware.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned,
)]
#[repr(C)]
pub struct FirmwareVersion {
    /// Build number.
    pub build: u8,
    /// Minor version of the firmware ABI.
    pub minor: u8,
    /// Major version of the firmware ABI.
    pub major: u8,
    _reserved_3: u8,
}

impl FirmwareVersion {
    /// The version that is written `major.minor.build`.
    #[must_use]
    pub const fn new(major: u8, minor: u8, build: u8) -> Self {
        Self { build, minor, major, _reserved_3: 0 }
    }
}

impl fmt::Display for FirmwareVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.build)
    }
}

/// Which known weaknesses the firmware has remedied, a bit for each. AMD's
/// security bulletins say which bit is which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Mitigations {
    /// `LAUNCH_MIT_VECTOR`: when the guest was launched or arrived here.
    pub launch: u64,
    /// `CURRENT_MIT_VECTOR`: when the report was made.
    pub current: u64,
}

/// An attestation report: 0x4a0 bytes [SNP ABI 56860 §7.3, table
/// "ATTESTATION_REPORT"].
///
/// Made zeroed in one of its versions, and filled in through its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct AttestationReport {
    version: u32,
    /// Security version number of the guest, from its ID block.
    pub guest_svn: u32,
    /// Policy that the guest was launched with.
    pub policy: Policy,
    /// Family of the guest, from its ID block.
    pub family_id: [u8; 16],
    /// Image of the guest, from its ID block.
    pub image_id: [u8; 16],
    /// Privilege level that the report is for, as the request says; all ones
    /// in a report that the host asked for.
    pub vmpl: u32,
    /// Algorithm of the signature.
    pub signature_algorithm: KeyAlgorithm,
    /// `CURRENT_TCB`: what is running.
    pub current_tcb: TcbVersion,
    /// What the machine is like.
    pub platform_info: PlatformInfo,
    /// Who signed the report, and whether an author signed the guest's ID key.
    pub key_info: KeyInfo,
    _reserved_04c: u32,
    /// What the guest asked the report to hold.
    pub report_data: [u8; 64],
    /// The launch digest.
    pub measurement: Digest,
    /// What the host said about the guest at launch. Not measured.
    pub host_data: [u8; 32],
    /// Digest of the key that signed the ID block, zero without one.
    pub id_key_digest: Digest,
    /// Digest of the key that signed the ID key, zero without one.
    pub author_key_digest: Digest,
    /// Identifies the guest from launch to end.
    pub report_id: [u8; 32],
    /// [`Self::report_id`] of the guest's migration agent, all ones without
    /// one.
    pub report_id_ma: [u8; 32],
    /// `REPORTED_TCB`: what the signing key is bound to.
    pub reported_tcb: TcbVersion,
    processor: ProcessorModel,
    _reserved_18b: [u8; 0x15],
    /// Identifies the processor, zero if the host masks that. On Turin the
    /// first 8 bytes count.
    pub chip_id: [u8; 64],
    /// `COMMITTED_TCB`: below this the firmware cannot go back.
    pub committed_tcb: TcbVersion,
    /// The firmware that is running.
    pub current_firmware: FirmwareVersion,
    /// The firmware that cannot be gone back from.
    pub committed_firmware: FirmwareVersion,
    /// `LAUNCH_TCB`: what was running when the guest was launched or arrived
    /// here.
    pub launch_tcb: TcbVersion,
    mitigations: Mitigations,
    _reserved_208: [u8; 0x98],
    /// Signature of the first [`SIGNED_SIZE`] bytes.
    pub signature: EcdsaSignature,
}

impl AttestationReport {
    /// A report of version 2 with all else zero.
    #[must_use]
    pub fn version_2() -> Self {
        Self { version: 2, ..Self::new_zeroed() }
    }

    /// A report of version 3, which names the processor, with all else zero.
    #[must_use]
    pub fn version_3(processor: ProcessorModel) -> Self {
        Self { version: 3, processor, ..Self::new_zeroed() }
    }

    /// A report of version 5, which names processor and mitigations, with all
    /// else zero.
    #[must_use]
    pub fn version_5(processor: ProcessorModel, mitigations: Mitigations) -> Self {
        Self { version: 5, processor, mitigations, ..Self::new_zeroed() }
    }

    /// Version of the format.
    #[must_use]
    pub const fn version(&self) -> u32 {
        self.version
    }

    /// The processor that the report comes from; in reports of version 3 and
    /// later.
    #[must_use]
    pub fn processor(&self) -> Option<ProcessorModel> {
        (self.version >= 3).then_some(self.processor)
    }

    /// Which weaknesses the firmware has remedied; in reports of version 5 and
    /// later.
    #[must_use]
    pub fn mitigations(&self) -> Option<Mitigations> {
        (self.version >= 5).then_some(self.mitigations)
    }

    /// How to read the report's TCB versions; `None` if the report does not
    /// name its processor (version 2), or one that this version does not know.
    #[must_use]
    pub fn tcb_layout(&self) -> Option<TcbLayout> {
        TcbLayout::of(self.processor()?)
    }

    /// What the signature covers.
    #[must_use]
    pub fn signed_bytes(&self) -> &[u8] {
        // The constant is less than the size: asserted below.
        &self.as_bytes()[..SIGNED_SIZE]
    }
}

const _: () = {
    use core::mem::offset_of;

    assert!(size_of::<FirmwareVersion>() == 4);

    assert!(size_of::<AttestationReport>() == 0x4a0);
    assert!(offset_of!(AttestationReport, guest_svn) == 0x004);
    assert!(offset_of!(AttestationReport, policy) == 0x008);
    assert!(offset_of!(AttestationReport, family_id) == 0x010);
    assert!(offset_of!(AttestationReport, image_id) == 0x020);
    assert!(offset_of!(AttestationReport, vmpl) == 0x030);
    assert!(offset_of!(AttestationReport, signature_algorithm) == 0x034);
    assert!(offset_of!(AttestationReport, current_tcb) == 0x038);
    assert!(offset_of!(AttestationReport, platform_info) == 0x040);
    assert!(offset_of!(AttestationReport, key_info) == 0x048);
    assert!(offset_of!(AttestationReport, report_data) == 0x050);
    assert!(offset_of!(AttestationReport, measurement) == 0x090);
    assert!(offset_of!(AttestationReport, host_data) == 0x0c0);
    assert!(offset_of!(AttestationReport, id_key_digest) == 0x0e0);
    assert!(offset_of!(AttestationReport, author_key_digest) == 0x110);
    assert!(offset_of!(AttestationReport, report_id) == 0x140);
    assert!(offset_of!(AttestationReport, report_id_ma) == 0x160);
    assert!(offset_of!(AttestationReport, reported_tcb) == 0x180);
    assert!(offset_of!(AttestationReport, processor) == 0x188);
    assert!(offset_of!(AttestationReport, chip_id) == 0x1a0);
    assert!(offset_of!(AttestationReport, committed_tcb) == 0x1e0);
    assert!(offset_of!(AttestationReport, current_firmware) == 0x1e8);
    assert!(offset_of!(AttestationReport, committed_firmware) == 0x1ec);
    assert!(offset_of!(AttestationReport, launch_tcb) == 0x1f0);
    assert!(offset_of!(AttestationReport, mitigations) == 0x1f8);
    assert!(offset_of!(AttestationReport, signature) == SIGNED_SIZE);
};

#[cfg(test)]
mod tests;
