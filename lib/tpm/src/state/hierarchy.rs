//! Hierarchies: seeds, proofs, authorizations, enables [Part 1 §12–14].

use crate::wire::algorithm::Hash;
use crate::wire::containers::Buffer;
use crate::wire::handle;
use crate::wire::macros::structures;
use crate::wire::structure::Digest;

/// A primary seed or proof: as many bytes as the largest digest.
pub(crate) type Seed = Buffer<64>;

/// The size of seeds and proofs, in bytes.
pub(crate) const SEED_SIZE: usize = 64;

structures! {
    /// How a hierarchy is authorized.
    Authorization {
        /// The authorization value, without zeros at the end.
        value: Digest,
        /// The hash of `policy`; none if there is no policy.
        policy_hash: Option<Hash>,
        policy: Digest,
    }

    /// What outlasts power.
    PersistentHierarchies {
        platform_seed: Seed,
        owner_seed: Seed,
        endorsement_seed: Seed,
        platform_proof: Seed,
        owner_proof: Seed,
        endorsement_proof: Seed,
        owner: Authorization,
        endorsement: Authorization,
        lockout: Authorization,
        /// `TPM2_Clear` is refused.
        disable_clear: bool,
        /// The device made its endorsement seed itself.
        seed_generated: bool,
    }

    /// What `TPM2_Startup(STATE)` keeps and any other start sets anew.
    VolatileHierarchies {
        platform: Authorization,
        owner_enabled: bool,
        endorsement_enabled: bool,
        platform_nv_enabled: bool,
    }
}

impl Authorization {
    /// Empty value, no policy.
    pub(crate) const EMPTY: Self =
        Self { value: Buffer::EMPTY, policy_hash: None, policy: Buffer::EMPTY };
}

impl VolatileHierarchies {
    /// As after a reset [Part 1 §12, Part 3 §9.3].
    pub(crate) const fn reset() -> Self {
        Self {
            platform: Authorization::EMPTY,
            owner_enabled: true,
            endorsement_enabled: true,
            platform_nv_enabled: true,
        }
    }
}

/// All of it.
#[derive(Clone, Debug)]
pub(crate) struct Hierarchies {
    pub(crate) persistent: PersistentHierarchies,
    pub(crate) volatile: VolatileHierarchies,
    /// Set by every start; only the platform can clear it.
    pub(crate) platform_enabled: bool,
    pub(crate) null_seed: Seed,
    pub(crate) null_proof: Seed,
}

impl Hierarchies {
    /// The authorization of the hierarchy (or lockout) with this handle.
    pub(crate) fn authorization(&self, hierarchy: u32) -> Option<&Authorization> {
        Some(match hierarchy {
            handle::OWNER => &self.persistent.owner,
            handle::ENDORSEMENT => &self.persistent.endorsement,
            handle::LOCKOUT => &self.persistent.lockout,
            handle::PLATFORM => &self.volatile.platform,
            _ => return None,
        })
    }

    /// The same, to be changed.
    pub(crate) fn authorization_mut(&mut self, hierarchy: u32) -> Option<&mut Authorization> {
        Some(match hierarchy {
            handle::OWNER => &mut self.persistent.owner,
            handle::ENDORSEMENT => &mut self.persistent.endorsement,
            handle::LOCKOUT => &mut self.persistent.lockout,
            handle::PLATFORM => &mut self.volatile.platform,
            _ => return None,
        })
    }

    /// The proof of a hierarchy: the key of its tickets.
    pub(crate) fn proof(&self, hierarchy: u32) -> &Seed {
        match hierarchy {
            handle::OWNER => &self.persistent.owner_proof,
            handle::ENDORSEMENT => &self.persistent.endorsement_proof,
            handle::PLATFORM => &self.persistent.platform_proof,
            _ => &self.null_proof,
        }
    }

    /// Whether the hierarchy is enabled; what is no hierarchy always is.
    pub(crate) const fn is_enabled(&self, hierarchy: u32) -> bool {
        match hierarchy {
            handle::OWNER => self.volatile.owner_enabled,
            handle::ENDORSEMENT => self.volatile.endorsement_enabled,
            handle::PLATFORM => self.platform_enabled,
            _ => true,
        }
    }
}
