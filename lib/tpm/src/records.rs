//! From records to state and back, and the records of a new device.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec;
use alloc::vec::Vec;

use tpm_crypto::drbg::HmacDrbg;
use tpm_crypto::random::{RandomError, RandomStream};

use crate::machine::{CONTEXT_HASH, State};
use crate::state::audit::CommandAudit;
use crate::state::commitment::Commitments;
use crate::state::hierarchy::{
    Authorization, Hierarchies, PersistentHierarchies, SEED_SIZE, Seed, VolatileHierarchies,
};
use crate::state::launch::{Launch, Root};
use crate::state::lockout::{Guard, Lockout};
use crate::state::nv::{NvIndex, NvStore};
use crate::state::object::{Object, Objects};
use crate::state::pcr::{BANKS, PcrBanks, PcrGuard};
use crate::state::record::{Core, VERSION};
use crate::state::session_slots::Sessions;
use crate::state::time::Time;
use crate::state::timer::Timers;
use crate::wire::containers::{List, Optional16};
use crate::wire::pcr::{PCR_COUNT, PcrSelection};
use crate::wire::structure::Digest;

/// TPM_CC_SetCommandCodeAuditStatus, audited from the factory on.
const SET_AUDIT_STATUS: u32 = 0x140;

/// TPM_CC_PP_Commands, which always needs presence.
const PRESENCE_COMMANDS: u32 = 0x12D;

/// The record of a new device: seeds and proofs from `random`, but for an
/// endorsement seed that is given; all banks of PCRs.
///
/// # Errors
///
/// The generator's.
pub(crate) fn new_core(
    random: &mut HmacDrbg,
    endorsement_seed: Option<&[u8; SEED_SIZE]>,
) -> Result<Core, RandomError> {
    let mut seed = || -> Result<Seed, RandomError> {
        let mut bytes = vec![0; SEED_SIZE];
        random.fill(&mut bytes)?;
        Ok(Seed::new(bytes))
    };
    let hierarchies = PersistentHierarchies {
        platform_seed: seed()?,
        owner_seed: seed()?,
        endorsement_seed: match endorsement_seed {
            Some(given) => Seed::new(*given),
            None => seed()?,
        },
        platform_proof: seed()?,
        owner_proof: seed()?,
        endorsement_proof: seed()?,
        owner: Authorization::EMPTY,
        endorsement: Authorization::EMPTY,
        lockout: Authorization::EMPTY,
        disable_clear: false,
        seed_generated: endorsement_seed.is_none(),
    };
    let all = BANKS.into_iter().map(|bank| PcrSelection { bank, pcrs: (1 << PCR_COUNT) - 1 });
    Ok(Core {
        version: VERSION,
        hierarchies,
        lockout: Lockout::DEFAULT,
        allocation: List(all.collect()),
        audit_hash: CONTEXT_HASH,
        audit_commands: List(vec![SET_AUDIT_STATUS]),
        audit_counter: 0,
        clock_limit: 0,
        clock: 0,
        reset_count: 0,
        total_resets: 0,
        highest_nv_counter: 0,
        pcr_policy_hash: None,
        pcr_policy: Digest::EMPTY,
        presence_commands: List(vec![PRESENCE_COMMANDS]),
        algorithm_set: 0,
        shutdown: None,
        saved: Optional16(None),
        timers: List::EMPTY,
    })
}

/// The state of a device with these records, as its power comes on.
pub(crate) fn state_of(
    core: Core,
    indices: BTreeMap<u32, NvIndex>,
    objects: BTreeMap<u32, Object>,
    random: HmacDrbg,
    power_on_ms: u64,
) -> State {
    State {
        started: false,
        failed: false,
        shutdown: core.shutdown,
        saved: core.saved.0,
        orderly_start: false,
        hierarchies: Hierarchies {
            persistent: core.hierarchies,
            volatile: VolatileHierarchies::reset(),
            platform_enabled: true,
            null_seed: Seed::EMPTY,
            null_proof: Seed::EMPTY,
        },
        pcrs: PcrBanks::default(),
        launch: Launch::default(),
        root: Root::Locality0,
        allocation: core.allocation,
        time: Time {
            power_on_ms,
            clock: core.clock,
            reset_count: core.reset_count,
            total_resets: core.total_resets,
            ..Time::default()
        },
        clock_limit: core.clock_limit,
        guard: Guard { stored: core.lockout, healed_ms: 0, lockout_failed_ms: 0 },
        audit: CommandAudit {
            hash: core.audit_hash,
            commands: core.audit_commands.0.into_iter().collect::<BTreeSet<u32>>(),
            counter: core.audit_counter,
            digest: Vec::new(),
        },
        sessions: Sessions::default(),
        sequences: BTreeMap::new(),
        objects: Objects::new(objects),
        nv: NvStore::new(indices, core.highest_nv_counter),
        commitments: Commitments::new(Seed::EMPTY),
        timers: Timers::reset(),
        saved_timers: core.timers,
        object_contexts: 0,
        pcr_guard: PcrGuard {
            auth: Digest::EMPTY,
            policy_hash: core.pcr_policy_hash,
            policy: core.pcr_policy,
        },
        presence_commands: core.presence_commands.0.into_iter().collect(),
        algorithm_set: core.algorithm_set,
        random,
    }
}

/// The core record of a state.
pub(crate) fn core_of(state: &State) -> Core {
    Core {
        version: VERSION,
        hierarchies: state.hierarchies.persistent.clone(),
        lockout: state.guard.stored.clone(),
        allocation: state.allocation.clone(),
        audit_hash: state.audit.hash,
        audit_commands: List(state.audit.commands.iter().copied().collect()),
        audit_counter: state.audit.counter,
        clock_limit: state.clock_limit,
        clock: state.time.clock,
        reset_count: state.time.reset_count,
        total_resets: state.time.total_resets,
        pcr_policy_hash: state.pcr_guard.policy_hash,
        pcr_policy: state.pcr_guard.policy.clone(),
        presence_commands: List(state.presence_commands.iter().copied().collect()),
        algorithm_set: state.algorithm_set,
        highest_nv_counter: state.nv.highest_counter,
        shutdown: state.shutdown,
        saved: Optional16(state.saved.clone()),
        timers: state.saved_timers.clone(),
    }
}

/// Whether `core` is the core record of `state`, but for the clock.
pub(crate) fn is_core_of(core: &Core, state: &State) -> bool {
    // All fields by name, so that none is forgotten when one is added.
    let Core {
        version: _,
        hierarchies,
        lockout,
        allocation,
        audit_hash,
        audit_commands,
        audit_counter,
        clock_limit,
        clock: _,
        reset_count,
        total_resets,
        highest_nv_counter,
        pcr_policy_hash,
        pcr_policy,
        presence_commands,
        algorithm_set,
        shutdown,
        saved,
        timers,
    } = core;
    *audit_counter == state.audit.counter
        && *clock_limit == state.clock_limit
        && *reset_count == state.time.reset_count
        && *total_resets == state.time.total_resets
        && *highest_nv_counter == state.nv.highest_counter
        && *shutdown == state.shutdown
        && *lockout == state.guard.stored
        && *algorithm_set == state.algorithm_set
        && *audit_hash == state.audit.hash
        && audit_commands.0.iter().eq(&state.audit.commands)
        && presence_commands.0.iter().eq(&state.presence_commands)
        && *allocation == state.allocation
        && *pcr_policy_hash == state.pcr_guard.policy_hash
        && *pcr_policy == state.pcr_guard.policy
        && *hierarchies == state.hierarchies.persistent
        && saved.0 == state.saved
        && *timers == state.saved_timers
}
