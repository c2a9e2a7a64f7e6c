//! What the attestation protocol needs of the kernel: reports, and services to
//! tell of.

use abi_snp::AttestationReport;
use uuid::Uuid;

/// Why there is no report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReportFailure {
    /// Not now; the guest may ask again.
    #[error("the security processor cannot be asked now")]
    Busy,
    /// The host or the security processor does not give one.
    #[error("there is no report")]
    Refused,
}

/// Reports of the module's level, VMPL0. Waits for the host; no page is held or
/// claimed meanwhile.
pub trait Reports {
    /// A host's certificates, as bytes: a table and what it names, empty if the
    /// host gives none.
    type Certificates: AsRef<[u8]>;

    /// A report that holds these bytes.
    ///
    /// # Errors
    ///
    /// See [`ReportFailure`].
    fn report(&self, data: [u8; 64]) -> Result<AttestationReport, ReportFailure>;

    /// As [`Self::report`], with the host's certificates.
    ///
    /// # Errors
    ///
    /// See [`ReportFailure`].
    fn report_with_certificates(
        &self,
        data: [u8; 64],
    ) -> Result<(AttestationReport, Self::Certificates), ReportFailure>;
}

/// What a service says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServiceManifest<'a> {
    /// The service.
    pub service: Uuid,
    /// Which version of the manifest. Version 0 stands in the table of all
    /// services.
    pub version: u32,
    /// The manifest.
    pub bytes: &'a [u8],
}

/// The module's services.
pub trait Services {
    /// The manifests of all services that run, in all versions. They do not
    /// change while this is borrowed.
    fn manifests(&self) -> &[ServiceManifest<'_>];
}
