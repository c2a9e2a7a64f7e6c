//! Checking an attestation report against a chain of certificates.

use abi_snp::{AttestationReport, KeyAlgorithm, SigningKey, TcbVersion};
use p384::FieldBytes;
use p384::ecdsa::Signature;
use p384::ecdsa::signature::Verifier;

use crate::chain::Chain;

/// Versions of the report that have been published.
const VERSIONS: std::ops::RangeInclusive<u32> = 2..=5;

/// Why a report is not one that the processor in a chain made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReportFault {
    /// The format is one that this version does not know.
    #[error("the report has version {0}; versions 2 to 5 are known")]
    Version(u32),
    /// The signature is of another kind.
    #[error("the report is signed with algorithm {}, not with ECDSA on P-384 (1)", .0.0)]
    Algorithm(KeyAlgorithm),
    /// Another key than a VCEK signed the report, or none did.
    #[error("the report says that its signing key is: {0}; the chain is for a VCEK")]
    SigningKey(SigningKey),
    /// The signature is not from the VCEK.
    #[error("the VCEK has not signed the report, or it was changed since")]
    Signature,
    /// The report is from another processor.
    #[error("the report's chip identifier is not that of the VCEK certificate")]
    Chip,
    /// The report is from other firmware.
    #[error("the report was made with TCB version {reported}, the VCEK is for {certified}")]
    Tcb {
        /// What the report says.
        reported: TcbVersion,
        /// What the certificate says.
        certified: TcbVersion,
    },
}

impl Chain {
    /// Checks that the processor in the chain made the report, with the
    /// firmware in the chain: signature, chip identifier and reported TCB
    /// version. A chip identifier of zeros is one that the host has masked.
    ///
    /// What the report says about the guest is not judged.
    ///
    /// # Errors
    ///
    /// See [`ReportFault`].
    pub fn verify(&self, report: &AttestationReport) -> Result<(), ReportFault> {
        if !VERSIONS.contains(&report.version()) {
            return Err(ReportFault::Version(report.version()));
        }
        if report.signature_algorithm != KeyAlgorithm::ECDSA_P384_SHA384 {
            return Err(ReportFault::Algorithm(report.signature_algorithm));
        }
        let signing_key = report.key_info.signing_key();
        if signing_key != SigningKey::VCEK {
            return Err(ReportFault::SigningKey(signing_key));
        }
        let signature = signature(report).ok_or(ReportFault::Signature)?;
        self.vcek()
            .verify(report.signed_bytes(), &signature)
            .map_err(|_| ReportFault::Signature)?;
        if report.chip_id != [0; 64] && report.chip_id != *self.chip().chip_id() {
            return Err(ReportFault::Chip);
        }
        let (reported, certified) = (report.reported_tcb, self.chip().reported_tcb());
        if reported != certified {
            return Err(ReportFault::Tcb { reported, certified });
        }
        Ok(())
    }
}

/// The report's signature, if its two numbers can be one.
fn signature(report: &AttestationReport) -> Option<Signature> {
    let r: FieldBytes = report.signature.r.to_big_endian()?.into();
    let s: FieldBytes = report.signature.s.to_big_endian()?.into();
    Signature::from_scalars(r, s).ok()
}

#[cfg(test)]
mod tests;
