//! What a sequence of commands knows of the two devices: enough to send
//! commands that make sense, and to send some that do not.

use super::client::Session;
use super::dice::Dice;

/// TPM_RH_*.
pub(super) const OWNER: u32 = 0x4000_0001;
pub(super) const NULL: u32 = 0x4000_0007;
pub(super) const LOCKOUT: u32 = 0x4000_000A;
pub(super) const ENDORSEMENT: u32 = 0x4000_000B;
pub(super) const PLATFORM: u32 = 0x4000_000C;

/// The password of all objects.
pub(super) const PASSWORD: &[u8] = b"key";

/// The NV indices that are used.
pub(super) const INDICES: [u32; 4] = [0x0150_0000, 0x0150_0001, 0x0180_0000, 0x01C0_0000];

/// A key that was created under the storage key: its public and private part on
/// each side.
#[derive(Clone, Debug)]
pub(super) struct Created {
    pub(super) public: [Vec<u8>; 2],
    pub(super) private: [Vec<u8>; 2],
}

/// What is known.
#[derive(Debug, Default)]
pub(super) struct Model {
    /// Policy and trial sessions.
    pub(super) sessions: Vec<u32>,
    /// Transient objects.
    pub(super) objects: Vec<u32>,
    /// Those among them whose secrets are the same on both sides.
    pub(super) shared: Vec<u32>,
    /// Hash and HMAC sequences.
    pub(super) hashes: Vec<u32>,
    /// Storage keys among the objects.
    pub(super) parents: Vec<u32>,
    pub(super) created: Vec<Created>,
    /// Saved contexts of each side.
    pub(super) contexts: Vec<[Vec<u8>; 2]>,
    /// Sessions with HMACs.
    pub(super) hmac_sessions: Vec<Session>,
    /// Objects with the known RSA key.
    pub(super) salt_keys: Vec<u32>,
    /// The owner's password.
    pub(super) owner_password: Vec<u8>,
    /// Digests of policies.
    pub(super) policies: Vec<Vec<u8>>,
    /// The policy or trial session that told the last of them.
    pub(super) told: Option<u32>,
}

impl Model {
    /// Forgets what a restart takes away.
    pub(super) fn restart(&mut self) {
        self.sessions.clear();
        self.objects.clear();
        self.shared.clear();
        self.hashes.clear();
        self.parents.clear();
        self.contexts.clear();
        self.hmac_sessions.clear();
        self.salt_keys.clear();
    }

    /// Forgets what a handle stood for.
    pub(super) fn forget(&mut self, handle: u32) {
        for handles in [
            &mut self.sessions,
            &mut self.objects,
            &mut self.shared,
            &mut self.hashes,
            &mut self.parents,
            &mut self.salt_keys,
        ] {
            handles.retain(|known| *known != handle);
        }
    }

    /// A session, mostly one that is there.
    pub(super) fn session(&self, dice: &mut Dice) -> u32 {
        known(&self.sessions, dice, &[0x0300_0000, 0x0300_0001, 0x0200_0000])
    }

    /// An object, mostly one that is there.
    pub(super) fn object(&self, dice: &mut Dice) -> u32 {
        known(&self.objects, dice, &[0x8000_0000, 0x8000_0001, 0x8000_0002, 0x8100_0001])
    }

    /// A sequence, mostly one that is there.
    pub(super) fn hash(&self, dice: &mut Dice) -> u32 {
        known(&self.hashes, dice, &[0x8000_0000, 0x8000_0002])
    }

    /// A parent, mostly one that is there.
    pub(super) fn parent(&self, dice: &mut Dice) -> u32 {
        known(&self.parents, dice, &[0x8000_0000, OWNER])
    }

    /// The password for a hierarchy, now and then a wrong one.
    pub(super) fn password(&self, handle: u32, dice: &mut Dice) -> Vec<u8> {
        if dice.once_in(20) {
            b"wrong".to_vec()
        } else if handle == OWNER {
            self.owner_password.clone()
        } else {
            Vec::new()
        }
    }
}

/// One that is known, or now and then one of `others`.
fn known(handles: &[u32], dice: &mut Dice, others: &[u32]) -> u32 {
    if handles.is_empty() || dice.once_in(12) { dice.pick(others) } else { dice.pick(handles) }
}
