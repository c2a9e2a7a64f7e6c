//! Whom the simulated security processor plays.

use abi_snp::{FirmwareVersion, ProcessorModel, TcbVersion};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::launch::error::Problem;

/// Whom the simulated security processor plays: 224 bytes.
///
/// The keys in here sign for no real processor: they are made for simulated
/// ones and are no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct SecurityProcessor {
    /// Version of the attestation reports it writes: 2, 3 or 5.
    pub report_version: u8,
    /// The processor that it is part of. The family also tells how the TCB
    /// versions are laid out.
    pub processor: ProcessorModel,
    /// Version of its firmware, current and committed.
    pub firmware: FirmwareVersion,
    /// `CURRENT_TCB`, which is also that of the launch.
    pub current_tcb: TcbVersion,
    /// `COMMITTED_TCB`.
    pub committed_tcb: TcbVersion,
    /// `REPORTED_TCB`, which the signing keys are bound to.
    pub reported_tcb: TcbVersion,
    /// Identifies the processor.
    pub chip_id: [u8; 64],
    /// Private scalar of the versioned chip endorsement key (P-384),
    /// big-endian.
    pub vcek: [u8; 48],
    /// The scalar of [`Self::vlek`], zero if there is none.
    pub vlek_or_zero: [u8; 48],
    /// Where all other secrets come from: message keys, report ids, derived
    /// keys. The same seed, the same secrets.
    pub seed: [u8; 32],
}

const _: () = {
    use core::mem::offset_of;

    assert!(size_of::<SecurityProcessor>() == 224);
    assert!(offset_of!(SecurityProcessor, processor) == 1);
    assert!(offset_of!(SecurityProcessor, current_tcb) == 8);
    assert!(offset_of!(SecurityProcessor, chip_id) == 32);
    assert!(offset_of!(SecurityProcessor, vcek) == 96);
    assert!(offset_of!(SecurityProcessor, seed) == 192);
};

impl SecurityProcessor {
    /// Private scalar of the versioned loaded endorsement key (P-384),
    /// big-endian; `None` if the host loaded none.
    #[must_use]
    pub fn vlek(&self) -> Option<&[u8; 48]> {
        // Zero is no private scalar of any curve.
        (self.vlek_or_zero != [0; 48]).then_some(&self.vlek_or_zero)
    }

    /// Refuses report versions that nobody defined.
    pub(super) fn check(&self) -> Result<(), Problem> {
        let version = self.report_version;
        let rule = "reports have version 2, 3 or 5";
        Problem::unless(matches!(version, 2 | 3 | 5), "report_version", version.into(), rule)
    }
}
