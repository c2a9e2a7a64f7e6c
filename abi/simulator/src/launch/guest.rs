//! What the host tells the security processor about the guest as a whole.

use abi_snp::{IdAuthentication, IdBlock, Policy};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::launch::error::Problem;

/// What a launch starts and ends with: the guest's policy [SNP ABI 56860,
/// SNP_LAUNCH_START] and the host's data [SNP ABI 56860, SNP_LAUNCH_FINISH].
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct LaunchStart {
    /// What the owner allows and demands of the platform. Whether it is well
    /// formed is the security processor's to judge.
    pub policy: Policy,
    /// What the host says about the guest; stands in attestation reports.
    pub host_data: [u8; 32],
}

/// Whose guest it is, as the host hands it over at the end of the launch
/// [SNP ABI 56860 §8.18].
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Identity {
    author_key_enabled: u32,
    _reserved_0004: u32,
    /// The digest, policy and version that the guest must have.
    pub id_block: IdBlock,
    /// The keys behind it and their signatures.
    pub authentication: IdAuthentication,
}

const _: () = {
    use core::mem::offset_of;

    assert!(size_of::<LaunchStart>() == 40);
    assert!(size_of::<Identity>() == 0x1068);
    assert!(offset_of!(Identity, id_block) == 8);
    assert!(offset_of!(Identity, authentication) == 0x68);
};

/// Whether the author key of an [`IdAuthentication`] counts: `AUTH_KEY_EN` of
/// SNP_LAUNCH_FINISH.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthorKey {
    /// The ID key stands for itself.
    Disabled,
    /// The author key has to have signed the ID key.
    Enabled,
}

impl Identity {
    /// The identity that `id_block` and `authentication` state.
    #[must_use]
    pub const fn new(
        id_block: IdBlock,
        authentication: IdAuthentication,
        author_key: AuthorKey,
    ) -> Self {
        let author_key_enabled = match author_key {
            AuthorKey::Disabled => 0,
            AuthorKey::Enabled => 1,
        };
        Self { author_key_enabled, _reserved_0004: 0, id_block, authentication }
    }

    /// Whether the author key counts.
    #[must_use]
    pub const fn author_key(&self) -> AuthorKey {
        match self.author_key_enabled {
            0 => AuthorKey::Disabled,
            _ => AuthorKey::Enabled,
        }
    }

    /// Refuses what is neither on nor off. Everything else is the security
    /// processor's to judge.
    pub(super) fn check(&self) -> Result<(), Problem> {
        let enabled = self.author_key_enabled;
        Problem::unless(enabled <= 1, "author_key_enabled", enabled.into(), "it is 0 or 1")
    }
}
