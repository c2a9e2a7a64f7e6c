//! The launch digest in a report: as written, which [`crate::measure`] explains.

use igvm_defs::IgvmPlatformType;
use serde::Serialize;

use crate::file::Igvm;
use crate::measure::{self, IdBlockDigest, Options};

/// The launch digest, or why there is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Launch {
    /// It was computed.
    Digest {
        /// SHA-384 in hexadecimal.
        digest: String,
        /// Pages of 4 KiB by type.
        pages: Vec<PageCount>,
        /// Whether the ID block expects this digest; `None` without ID block.
        id_block_agrees: Option<bool>,
    },
    /// It could not be computed.
    Problem(String),
}

/// Measured pages of one type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PageCount {
    /// The page type.
    pub page_type: String,
    /// How many pages of 4 KiB.
    pub pages: u64,
}

/// The digest of a file for SEV-SNP; `None` for files that are not.
pub(super) fn launch(igvm: &Igvm) -> Option<Launch> {
    igvm.mask_of(IgvmPlatformType::SEV_SNP)?;
    Some(match measure::snp_launch_digest(igvm, &Options::default()) {
        Ok(measurement) => Launch::Digest {
            digest: measurement.digest.to_string(),
            pages: measurement
                .counts
                .iter()
                .map(|(kind, pages)| PageCount { page_type: kind.to_string(), pages: *pages })
                .collect(),
            id_block_agrees: match measurement.id_block {
                IdBlockDigest::Absent => None,
                IdBlockDigest::Agrees => Some(true),
                IdBlockDigest::Differs(_) => Some(false),
            },
        },
        Err(problem) => Launch::Problem(problem.to_string()),
    })
}
