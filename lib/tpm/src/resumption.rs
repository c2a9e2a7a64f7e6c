//! From state to volatile record, and back into a state that has just been read
//! from the other records.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use tpm_crypto::hash::{HashAlgorithm, Hasher};

use crate::machine::State;
use crate::response_code::ResponseCode;
use crate::state::launch::Launch;
use crate::state::object::MAX_LOADED_OBJECTS;
use crate::state::pcr::PcrBanks;
use crate::state::sequence::{Sequence, SequenceState};
use crate::state::session_slots::Sessions;
use crate::state::timer::Timers;
use crate::state::volatile::{
    LoadedObject, LoadedSequence, VOLATILE_RECORD, VOLATILE_VERSION, Volatile,
};
use crate::wire::codec::Wire;
use crate::wire::containers::List;
use crate::wire::handle::FIRST_TRANSIENT;
use crate::wire::structure::Digest;

/// No counter of a device comes near this: one beyond is damage.
const MOST_COUNTED: u64 = 1 << 62;

/// The digest of all `records` but the volatile one, whatever their order.
pub(crate) fn digest_of(records: &[(u32, Vec<u8>)]) -> Digest {
    let mut sorted: Vec<_> = records.iter().filter(|(key, _)| *key != VOLATILE_RECORD).collect();
    sorted.sort_unstable_by_key(|(key, _)| *key);
    let mut hasher = Hasher::new(HashAlgorithm::Sha256);
    for (key, content) in sorted {
        hasher.update(&key.to_be_bytes());
        hasher.update(&(content.len() as u64).to_be_bytes());
        hasher.update(content);
    }
    Digest::new(hasher.finish().as_bytes())
}

/// The volatile record of a state whose other records have this digest.
pub(crate) fn volatile_of(state: &State, records: Digest) -> Volatile {
    let object = |(handle, object): (&u32, &_)| LoadedObject {
        handle: *handle,
        object: Clone::clone(object),
    };
    let sequence = |(handle, sequence): (&u32, &Sequence)| LoadedSequence {
        handle: *handle,
        sequence: SequenceState::new(sequence.to_bytes()),
    };
    Volatile {
        version: VOLATILE_VERSION,
        records,
        started: state.started,
        failed: state.failed,
        orderly_start: state.orderly_start,
        hierarchies: state.hierarchies.volatile.clone(),
        platform_enabled: state.hierarchies.platform_enabled,
        null_seed: state.hierarchies.null_seed.clone(),
        null_proof: state.hierarchies.null_proof.clone(),
        pcrs: state.pcrs.to_record(),
        pcr_counter: state.pcrs.counter,
        pcr_auth: state.pcr_guard.auth.clone(),
        launch: state.launch.to_record(),
        root: state.root,
        time: state.time.time,
        clock: state.time.clock,
        unsafe_until: state.time.unsafe_until,
        restart_count: state.time.restart_count,
        clear_count: state.time.clear_count,
        healed_ms: state.guard.healed_ms,
        lockout_failed_ms: state.guard.lockout_failed_ms,
        audit_digest: Digest::new(state.audit.digest.as_slice()),
        sessions: state.sessions.to_record(),
        objects: List(state.objects.transient.iter().map(object).collect()),
        sequences: List(state.sequences.iter().map(sequence).collect()),
        object_contexts: state.object_contexts,
        commitments: state.commitments.clone(),
        timers: state.timers.to_record(),
    }
}

/// Puts what is in a volatile record into `state`, which is that of the other
/// records and has its power from now on.
///
/// # Errors
///
/// [`ResponseCode::VALUE`] or that of a part, if the record is none that
/// [`volatile_of`] made; the state is of no use then.
pub(crate) fn resume(state: &mut State, volatile: Volatile) -> Result<(), ResponseCode> {
    // All fields by name, so that none is forgotten when one is added.
    let Volatile {
        version: _,
        records: _,
        started,
        failed,
        orderly_start,
        hierarchies,
        platform_enabled,
        null_seed,
        null_proof,
        pcrs,
        pcr_counter,
        pcr_auth,
        launch,
        root,
        time,
        clock,
        unsafe_until,
        restart_count,
        clear_count,
        healed_ms,
        lockout_failed_ms,
        audit_digest,
        sessions,
        objects,
        sequences,
        object_contexts,
        commitments,
        timers,
    } = volatile;
    let audited = audit_digest.is_empty() || audit_digest.len() == state.audit.hash.size();
    let counters = [object_contexts, sessions.context_counter, commitments.next, clock, time];
    if !audited || counters.into_iter().any(|counter| counter > MOST_COUNTED) {
        return Err(ResponseCode::VALUE);
    }
    (state.started, state.failed, state.orderly_start) = (started, failed, orderly_start);
    state.hierarchies.volatile = hierarchies;
    state.hierarchies.platform_enabled = platform_enabled;
    (state.hierarchies.null_seed, state.hierarchies.null_proof) = (null_seed, null_proof);
    state.pcrs = PcrBanks::from_record(&pcrs.0, pcr_counter)?;
    state.pcr_guard.auth = pcr_auth;
    state.launch = Launch::from_record(&launch)?;
    state.root = root;
    (state.time.before_ms, state.time.time, state.time.clock) = (time, time, clock);
    state.time.unsafe_until = unsafe_until;
    (state.time.restart_count, state.time.clear_count) = (restart_count, clear_count);
    (state.guard.healed_ms, state.guard.lockout_failed_ms) = (healed_ms, lockout_failed_ms);
    state.audit.digest = audit_digest.to_vec();
    state.sessions = Sessions::from_record(sessions)?;
    for LoadedObject { handle, object } in objects.0 {
        put(&mut state.objects.transient, handle, object)?;
    }
    for LoadedSequence { handle, sequence } in sequences.0 {
        if state.objects.transient.contains_key(&handle) {
            return Err(ResponseCode::VALUE);
        }
        put(&mut state.sequences, handle, Sequence::from_bytes(&sequence)?)?;
    }
    state.object_contexts = object_contexts;
    state.commitments = commitments;
    state.timers = Timers::from_record(timers)?;
    Ok(())
}

fn put<T>(loaded: &mut BTreeMap<u32, T>, handle: u32, value: T) -> Result<(), ResponseCode> {
    let handles = FIRST_TRANSIENT..FIRST_TRANSIENT + MAX_LOADED_OBJECTS;
    if !handles.contains(&handle) || loaded.insert(handle, value).is_some() {
        return Err(ResponseCode::VALUE);
    }
    Ok(())
}
