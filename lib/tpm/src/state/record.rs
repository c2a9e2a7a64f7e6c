//! The encoding of what is persistent.
//!
//! Records are values in the wire's encoding. The record [`CORE`] begins with
//! the version and holds everything but NV indices and persistent objects, each of
//! which has a record under its own handle. Another version is refused: an older device must
//! not forget what a newer one wrote, and a newer one would make other keys.

use crate::state::commitment::Commitments;
use crate::state::hierarchy::{PersistentHierarchies, Seed, VolatileHierarchies};
use crate::state::launch::Root;
use crate::state::lockout::Lockout;
use crate::state::session_slots::SavedSession;
use crate::state::timer::SavedTimers;
use crate::wire::algorithm::{Hash, StartupType};
use crate::wire::containers::{List, Optional16};
use crate::wire::macros::{enumerations, structures};
use crate::wire::pcr::PcrSelection;
use crate::wire::structure::Digest;

/// The key of the record [`Core`].
pub(crate) const CORE: u32 = 0;

/// The version that this code writes and reads. Those before derived other RSA
/// keys from the same seeds.
pub(crate) const VERSION: u32 = 3;

enumerations! {
    /// How the device was shut down, and if its state was saved, what started it
    /// before.
    Ending(u16) else VALUE, none 0xFFFF {
        Cleared = 0x0000,
        Saved = 0x0001,
        SavedFromLocality3 = 0x4001,
        SavedAfterMeasurement = 0x8001,
    }
}

impl Ending {
    /// That of a device that `root` started, and whose state is saved or not.
    pub(crate) const fn new(kind: StartupType, root: Root) -> Self {
        match (kind, root) {
            (StartupType::Clear, _) => Self::Cleared,
            (StartupType::State, Root::Locality0) => Self::Saved,
            (StartupType::State, Root::Locality3) => Self::SavedFromLocality3,
            (StartupType::State, Root::Measured) => Self::SavedAfterMeasurement,
        }
    }

    /// What started the device whose state was saved; none if it was not.
    pub(crate) const fn saved_root(self) -> Option<Root> {
        match self {
            Self::Cleared => None,
            Self::Saved => Some(Root::Locality0),
            Self::SavedFromLocality3 => Some(Root::Locality3),
            Self::SavedAfterMeasurement => Some(Root::Measured),
        }
    }
}

structures! {
    /// Everything persistent but NV indices and objects.
    Core {
        version: u32,
        hierarchies: PersistentHierarchies,
        lockout: Lockout,
        allocation: List<PcrSelection, 4>,
        audit_hash: Hash,
        audit_commands: List<u32, 256>,
        audit_counter: u64,
        /// The clock may have told any value below this.
        clock_limit: u64,
        /// The clock when the device was last shut down in order.
        clock: u64,
        reset_count: u32,
        /// Resets in all.
        total_resets: u64,
        highest_nv_counter: u64,
        /// The policy of PCRs that can have one.
        pcr_policy_hash: Option<Hash>,
        pcr_policy: Digest,
        /// Commands that need presence.
        presence_commands: List<u32, 256>,
        algorithm_set: u32,
        /// How the device was shut down; none after any other command.
        shutdown: Option<Ending>,
        /// What a start with state goes on with.
        saved: Optional16<Saved>,
        /// Timers that go on likewise.
        timers: SavedTimers,
    }

    /// What `TPM2_Shutdown(STATE)` saves.
    Saved {
        hierarchies: VolatileHierarchies,
        null_seed: Seed,
        null_proof: Seed,
        pcrs: List<SavedPcr, 96>,
        pcr_counter: u32,
        pcr_auth: Digest,
        restart_count: u32,
        clear_count: u32,
        audit_digest: Digest,
        sessions: List<SavedSession, 64>,
        /// The sequence numbers of contexts.
        session_contexts: u64,
        object_contexts: u64,
        commitments: Commitments,
    }

    /// One PCR in one bank.
    SavedPcr {
        bank: Hash,
        number: u32,
        digest: Digest,
    }
}
