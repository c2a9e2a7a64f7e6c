//! The encoding of what power keeps: the volatile record.
//!
//! With it and the other records a device goes on elsewhere, or after the program
//! around it was started anew, as if nothing had been. It is a value in the
//! wire's encoding, begins with a version of its own, and names the records that
//! it belongs to: with others it means nothing. It holds secrets in the clear as
//! the other records do. The random generator is not in it: two devices that went
//! on from one record would draw the same numbers.

use crate::state::commitment::Commitments;
use crate::state::hierarchy::{Seed, VolatileHierarchies};
use crate::state::launch::{LaunchRecord, Root};
use crate::state::object::{MAX_LOADED_OBJECTS, Object};
use crate::state::pcr::{BANKS, PcrBank};
use crate::state::sequence::SequenceState;
use crate::state::session_slots::SessionsRecord;
use crate::state::timer::{TIMERS, Timer};
use crate::wire::containers::List;
use crate::wire::macros::structures;
use crate::wire::structure::Digest;

/// The key of the volatile record. It is in the store only while the device has
/// no power, or may lose it.
pub const VOLATILE_RECORD: u32 = 1;

/// The version of the volatile record that this code writes and reads.
pub(crate) const VOLATILE_VERSION: u32 = 2;

structures! {
    /// All that the device knows and no other record has.
    Volatile {
        version: u32,
        /// SHA-256 of the other records.
        records: Digest,
        started: bool,
        failed: bool,
        /// This power cycle began after an orderly shutdown.
        orderly_start: bool,
        hierarchies: VolatileHierarchies,
        platform_enabled: bool,
        null_seed: Seed,
        null_proof: Seed,
        pcrs: List<PcrBank, { BANKS.len() }>,
        pcr_counter: u32,
        pcr_auth: Digest,
        launch: LaunchRecord,
        /// What started the device.
        root: Root,
        /// Milliseconds of this power cycle.
        time: u64,
        clock: u64,
        /// Whether a higher value of `clock` may have been told before.
        unsafe_until: Option<u64>,
        restart_count: u32,
        clear_count: u32,
        /// The time since which no wrong guess was forgotten.
        healed_ms: u64,
        /// When the lockout authorization failed.
        lockout_failed_ms: u64,
        audit_digest: Digest,
        sessions: SessionsRecord,
        objects: List<LoadedObject, { MAX_LOADED_OBJECTS as usize }>,
        sequences: List<LoadedSequence, { MAX_LOADED_OBJECTS as usize }>,
        object_contexts: u64,
        commitments: Commitments,
        timers: List<Timer, { TIMERS.len() }>,
    }

    /// A transient object.
    LoadedObject {
        handle: u32,
        object: Object,
    }

    /// A hash, MAC or event sequence.
    LoadedSequence {
        handle: u32,
        sequence: SequenceState,
    }
}
