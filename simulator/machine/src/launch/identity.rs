//! Whose guest it is: the ID block and its signatures.
//!
//! [SNP ABI 56860 §8.18]. Firmware does not look at the version of the ID
//! block, nor at reserved fields of the authentication information.

use abi_snp::{Digest, FirmwareStatus, IdAuthentication, IdBlock, KeyAlgorithm, Policy};
use snp_launch::key_digest;
use zerocopy::IntoBytes;

use crate::launch::signature;

/// `AUTH_KEY_EN`: whether the host presents an author key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthorKey {
    /// No: what stands in its place is not looked at.
    Absent,
    /// Yes: it has to have signed the ID key.
    Present,
}

/// Who the owner of the guest is, and which guest they signed.
#[derive(Clone, Copy, Debug)]
pub struct Identity<'a> {
    /// Which guest.
    pub block: &'a IdBlock,
    /// Keys and signatures.
    pub authentication: &'a IdAuthentication,
    /// Whether there is an author key.
    pub author_key: AuthorKey,
}

/// Why an ID block is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityRefusal {
    /// Another guest was launched.
    #[error("the launch digest is {actual}, and the ID block demands {demanded}")]
    LaunchDigest {
        /// Of the pages that were launched.
        actual: Digest,
        /// Of the ID block.
        demanded: Digest,
    },
    /// The guest was launched with another policy.
    #[error("the policy is {actual:?}, and the ID block demands {demanded:?}")]
    Policy {
        /// Of the launch.
        actual: Policy,
        /// Of the ID block.
        demanded: Policy,
    },
    /// Not ECDSA on P-384 with SHA-384.
    #[error("the ID key or the author key has an algorithm other than ECDSA P-384 with SHA-384")]
    Algorithm,
    /// The ID key is none, or did not sign the ID block.
    #[error("the ID key did not sign the ID block")]
    IdBlockSignature,
    /// The author key is none, or did not sign the ID key.
    #[error("the author key did not sign the ID key")]
    IdKeySignature,
}

impl IdentityRefusal {
    /// What firmware tells the host.
    #[must_use]
    pub const fn status(self) -> FirmwareStatus {
        match self {
            Self::LaunchDigest { .. } => FirmwareStatus::BAD_MEASUREMENT,
            Self::Policy { .. } => FirmwareStatus::POLICY_FAILURE,
            Self::Algorithm => FirmwareStatus::INVALID_PARAMETER,
            Self::IdBlockSignature | Self::IdKeySignature => FirmwareStatus::BAD_SIGNATURE,
        }
    }
}

/// An identity that holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owner {
    pub(crate) block: IdBlock,
    pub(crate) id_key_digest: Digest,
    /// `None` without an author key.
    pub(crate) author_key_digest: Option<Digest>,
}

impl Owner {
    /// Checks `identity` for a guest with this launch digest and policy.
    pub(super) fn check(
        identity: Identity<'_>,
        digest: Digest,
        policy: Policy,
    ) -> Result<Self, IdentityRefusal> {
        let Identity { block, authentication, author_key } = identity;
        if block.launch_digest != digest {
            let demanded = block.launch_digest;
            return Err(IdentityRefusal::LaunchDigest { actual: digest, demanded });
        }
        if block.policy != policy {
            return Err(IdentityRefusal::Policy { actual: policy, demanded: block.policy });
        }
        let known = KeyAlgorithm::ECDSA_P384_SHA384;
        let has_author = author_key == AuthorKey::Present;
        if authentication.id_key_algorithm != known
            || has_author && authentication.author_key_algorithm != known
        {
            return Err(IdentityRefusal::Algorithm);
        }
        let id_key = &authentication.id_key;
        if !signature::holds(id_key, &authentication.id_block_signature, block.as_bytes()) {
            return Err(IdentityRefusal::IdBlockSignature);
        }
        let author = &authentication.author_key;
        if has_author
            && !signature::holds(author, &authentication.id_key_signature, id_key.as_bytes())
        {
            return Err(IdentityRefusal::IdKeySignature);
        }
        Ok(Self {
            block: *block,
            id_key_digest: key_digest(id_key),
            author_key_digest: has_author.then(|| key_digest(author)),
        })
    }
}
