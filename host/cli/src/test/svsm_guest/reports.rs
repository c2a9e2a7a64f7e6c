//! Reports that a guest fetched: one of the module's level, through the module,
//! and one of its own. A verifier that others wrote judges both.

use abi_snp::{AttestationReport, Digest, Vmpl};
use abi_svsm::attestation::ManifestTable;
use anyhow::{Context, Result, bail};
use sha2::Sha512;
use zerocopy::FromBytes;

use super::super::checks::{Checks, told, told_bytes};
use super::super::oracle;
use crate::project::Project;

/// Bytes that a report is to hold, and by which it is known to be fresh.
pub(super) type Nonce = [u8; 64];

/// A GUID that is no service's.
pub(super) const UNKNOWN_SERVICE: &str = "5d3f7a52-0c2e-4a3b-9b6a-6f1d2c3b4a59";

/// What Linux makes of the module's answer that there is no such service
/// ([`abi_svsm::ResultCode::INVALID_PARAMETER`]).
const NO_SUCH_SERVICE: &str = "Invalid argument";

/// What the reports must be about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected<'a> {
    /// For the module's report, together with the manifest.
    pub(super) nonce: &'a Nonce,
    /// For the guest's own.
    pub(super) own_nonce: &'a Nonce,
    /// What was measured.
    pub(super) digest: Digest,
}

/// Judges what the guest tells of its reports.
///
/// # Errors
///
/// A report cannot be read, or the verifier cannot be built.
pub(super) fn judge(
    project: &Project,
    console: &str,
    expected: Expected<'_>,
    checks: &mut Checks<'_>,
) -> Result<()> {
    let chain = project.toolbox.endorsement()?.chain().clone();
    let manifest = told_bytes(console, "manifest").context("the manifest is unreadable")?;
    let bound = bound_to(expected.nonce, &manifest);
    for (subject, data, level) in
        [("module's report", &bound, Vmpl::Vmpl0), ("own report", expected.own_nonce, Vmpl::Vmpl2)]
    {
        let bytes = told_bytes(console, subject);
        let bytes = bytes.with_context(|| format!("{subject} is unreadable"))?;
        let verdict = oracle::judge(project, &chain, &bytes, checks.log());
        checks.same(&format!("{subject}: another verifier"), &verdict.is_ok(), &true)?;
        let Ok(report) = AttestationReport::read_from_bytes(&bytes) else {
            bail!("{subject} has {} bytes", bytes.len());
        };
        checks.same(&format!("{subject}: data"), &report.report_data, data)?;
        checks.same(&format!("{subject}: digest"), &report.measurement, &expected.digest)?;
        checks.same(&format!("{subject}: level"), &report.vmpl, &level.number().into())?;
    }
    let services = ManifestTable::parse(&manifest).map(|table| table.services().count());
    checks.same("services", &services.ok(), &Some(0))?;
    let certificates = told_bytes(console, "certificates").context("they are unreadable")?;
    checks.same("certificates", &certificates, &chain.certificate_table())?;
    checks.same("highest level", told(console, "highest level"), "2")?;
    checks.same("unknown service", told(console, "unknown service"), NO_SUCH_SERVICE)
}

/// What binds a report to a nonce and a manifest [SVSM 58019 §7].
fn bound_to(nonce: &Nonce, manifest: &[u8]) -> [u8; 64] {
    use sha2::Digest;
    Sha512::new().chain_update(nonce).chain_update(manifest).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::bound_to;

    #[test]
    fn nonce_and_manifest_count() {
        let plain = bound_to(&[1; 64], b"manifest");
        // By another implementation of SHA-512.
        assert_eq!(plain[..4], [132, 43, 138, 187]);
        assert_ne!(plain, bound_to(&[2; 64], b"manifest"));
        assert_ne!(plain, bound_to(&[1; 64], b"Manifest"));
        assert_ne!(plain, bound_to(&[1; 64], b""));
    }
}
