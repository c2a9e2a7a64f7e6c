//! What the security processor knows about a guest that runs: its context.

use abi_snp::{Digest, Policy, TcbVersion, TscInfo, Vmpck};

use crate::launch::identity::Owner;
use crate::launch::secrets::GuestSecrets;

/// A guest that was launched.
#[derive(Debug)]
pub struct LaunchedGuest {
    pub(crate) secrets: GuestSecrets,
    /// `None` without an ID block.
    pub(crate) owner: Option<Owner>,
    /// The launch digest.
    pub measurement: Digest,
    /// The policy it was launched with.
    pub policy: Policy,
    /// What the host said about it.
    pub host_data: [u8; 32],
    /// Identifies it in reports, from launch to end.
    pub report_id: [u8; 32],
    /// What was running when it was launched.
    pub launch_tcb: TcbVersion,
    /// The mitigations when it was launched.
    pub launch_mitigations: u64,
    /// Its time stamp counter, with Secure TSC.
    pub tsc: TscInfo,
}

impl LaunchedGuest {
    /// The keys of its messages, by privilege level: those of its secrets page.
    #[must_use]
    pub fn message_keys(&self) -> [Vmpck; 4] {
        self.secrets.message_keys()
    }

    /// Family of the guest, from its ID block; zero without one.
    #[must_use]
    pub fn family_id(&self) -> [u8; 16] {
        self.owner.map(|owner| owner.block.family_id).unwrap_or_default()
    }

    /// Image of the guest, from its ID block; zero without one.
    #[must_use]
    pub fn image_id(&self) -> [u8; 16] {
        self.owner.map(|owner| owner.block.image_id).unwrap_or_default()
    }

    /// Security version number, from its ID block; zero without one.
    #[must_use]
    pub fn guest_svn(&self) -> u32 {
        self.owner.map(|owner| owner.block.guest_svn).unwrap_or_default()
    }

    /// Digest of the key that signed the ID block; zero without one.
    #[must_use]
    pub fn id_key_digest(&self) -> Digest {
        self.owner.map_or(Digest::ZERO, |owner| owner.id_key_digest)
    }

    /// Digest of the key that signed the ID key; `None` without one.
    #[must_use]
    pub fn author_key_digest(&self) -> Option<Digest> {
        self.owner.and_then(|owner| owner.author_key_digest)
    }
}
