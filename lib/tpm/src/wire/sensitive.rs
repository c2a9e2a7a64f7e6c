//! Sensitive areas, and what the creation of an object takes and tells.

use crate::wire::algorithm::Hash;
use crate::wire::containers::Buffer;
use crate::wire::macros::structures;
use crate::wire::pcr::PcrSelections;
use crate::wire::public::Kind;
use crate::wire::structure::{Data, Digest, Name};

/// TPM2B_SENSITIVE_DATA, TPM2B_PRIVATE_KEY_RSA and the like: what is sealed, or
/// a prime of the largest RSA key.
pub(crate) type Secret = Buffer<256>;

/// The largest data that can be sealed, in bytes.
pub(crate) const MAX_SEALED: usize = 128;

/// What a TPM2B_PRIVATE holds at most, in bytes.
pub(crate) const MAX_PRIVATE: usize = 640;

/// TPM2B_PRIVATE: a sensitive area with its protection, inner and outer.
pub(crate) type Private = Buffer<MAX_PRIVATE>;

structures! {
    /// TPMT_SENSITIVE [Part 2 §12.3.2.4].
    Sensitive {
        kind: Kind,
        auth: Digest,
        /// Storage parents: the seed of their children's protection. Symmetric
        /// objects: what hides the secret in `unique`.
        seed: Digest,
        /// A prime, a scalar, a key or sealed data.
        secret: Secret,
    }

    /// TPMS_SENSITIVE_CREATE [Part 2 §11.1.15].
    SensitiveCreate {
        auth: Digest,
        data: Buffer<MAX_SEALED>,
    }

    /// TPMS_CREATION_DATA [Part 2 §15.1].
    CreationData {
        pcrs: PcrSelections,
        pcr_digest: Digest,
        /// One bit for the locality.
        locality: u8,
        parent_name_hash: Option<Hash>,
        parent_name: Name,
        parent_qualified_name: Name,
        outside_info: Data,
    }
}
