//! What the host adds to a report.

use core::fmt;

use abi_snp::CertificateTable;
use alloc::vec::Vec;
use hal::OutOfMemory;
use kernel_log::log_for_host;

use crate::carrier::Carrier;

const PAGE_SIZE: usize = 4096;

/// Certificates from the host, as it gives them: a table and what it leads to
/// ([`CertificateTable`]), up to the end of the last one. Whether they
/// vouch for the report is for its verifier to find out.
///
/// Empty if the host has none, or gives none that could be read.
#[derive(Default, PartialEq, Eq)]
pub struct Certificates(Vec<u8>);

impl Certificates {
    /// No certificates.
    pub(crate) const NONE: Self = Self(Vec::new());

    /// Those that the host has put into the carrier's pages.
    ///
    /// # Errors
    ///
    /// There is no memory for a copy.
    pub(crate) fn of(carrier: &impl Carrier) -> Result<Self, OutOfMemory> {
        let size = usize::try_from(carrier.certificate_pages()).map_err(|_| OutOfMemory)?;
        let size = size.checked_mul(PAGE_SIZE).ok_or(OutOfMemory)?;
        if size == 0 {
            return Ok(Self::NONE);
        }
        let mut bytes = zeros(size)?;
        carrier.read_certificates(&mut bytes);
        let size = CertificateTable::parse(&bytes)
            .map(|table| table.certificates().next().map_or(0, |_| table.size()));
        match size {
            Ok(size) => {
                bytes.truncate(size);
                Ok(Self(bytes))
            }
            Err(error) => {
                log_for_host!(Warning, "the host's certificates are left out: {error}");
                Ok(Self::NONE)
            }
        }
    }

    /// The table and the certificates.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for Certificates {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

/// So many zeros.
fn zeros(size: usize) -> Result<Vec<u8>, OutOfMemory> {
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(size).map_err(|_| OutOfMemory)?;
    #[expect(clippy::disallowed_methods, reason = "try_reserve_exact came before")]
    bytes.resize(size, 0);
    Ok(bytes)
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificates({} bytes)", self.0.len())
    }
}
