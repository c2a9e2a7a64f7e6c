//! Start-up and shutdown [Part 3 §9].

use crate::call::{Call, Reply};
use crate::machine::Machine;
use crate::response_code::ResponseCode;
use crate::state::commitment::Commitments;
use crate::state::hierarchy::VolatileHierarchies;
use crate::state::launch::{Root, STATIC_LOCALITY, extend_static};
use crate::state::pcr::PcrBanks;
use crate::state::record::{Ending, Saved, SavedPcr};
use crate::state::session_slots::Sessions;
use crate::state::timer::{SavedTimers, Timers};
use crate::wire::algorithm::StartupType;
use crate::wire::bits::NvAttributes;
use crate::wire::containers::List;
use crate::wire::nv::NvType;
use crate::wire::structure::Digest;

/// What a start amounts to, by how the last power cycle ended [Part 1 §12.2.3].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Reset,
    Restart,
    Resume,
}

/// TPM2_Startup [Part 3 §9.3].
pub(crate) fn startup(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let (wanted,): (StartupType,) = call.parameters()?;
    let root = match call.locality {
        0 | 3 if machine.state.launch.is_measured() => Root::Measured,
        0 => Root::Locality0,
        3 => Root::Locality3,
        _ => return Err(ResponseCode::LOCALITY),
    };
    let before = machine.state.shutdown.and_then(Ending::saved_root);
    let kind = match (wanted, before) {
        (StartupType::State, Some(before)) if before == root => Kind::Resume,
        (StartupType::State, Some(Root::Locality0 | Root::Locality3)) if root != Root::Measured => {
            return Err(ResponseCode::LOCALITY);
        }
        (StartupType::State, _) => return Err(ResponseCode::VALUE.parameter(1)),
        (StartupType::Clear, Some(_)) => Kind::Restart,
        (StartupType::Clear, None) => Kind::Reset,
    };
    machine.state.root = root;
    let saved = machine.state.saved.take();
    let timers = core::mem::replace(&mut machine.state.saved_timers, SavedTimers::EMPTY);
    start_time(machine, kind, saved.as_ref());
    start_nv(machine, kind);
    let fresh = (machine.new_seed()?, machine.new_seed()?);
    let promises = machine.new_seed()?;
    let state = &mut *machine.state;
    state.hierarchies.platform_enabled = true;
    let measured = state.launch.take_measured();
    let locality = if measured.is_some() { STATIC_LOCALITY } else { call.locality };
    state.pcrs = PcrBanks::reset(&state.allocation.0, locality);
    if let Some(digests) = measured {
        extend_static(&mut state.pcrs, &digests);
    }
    state.hierarchies.volatile = VolatileHierarchies::reset();
    (state.hierarchies.null_seed, state.hierarchies.null_proof) = fresh;
    state.audit.digest.clear();
    state.commitments = Commitments::new(promises);
    state.pcr_guard.auth = Digest::EMPTY;
    state.timers = if kind == Kind::Resume {
        Timers::resume(&timers, state.time.time)
    } else {
        Timers::reset()
    };
    if let Some(saved) = saved {
        if kind != Kind::Reset {
            state.sessions = Sessions::with_saved(&saved.sessions.0, saved.session_contexts);
            state.object_contexts = saved.object_contexts;
            state.hierarchies.null_seed = saved.null_seed;
            state.hierarchies.null_proof = saved.null_proof;
            state.audit.digest = saved.audit_digest.to_vec();
            state.pcrs.counter = saved.pcr_counter;
        }
        if kind == Kind::Resume {
            state.hierarchies.volatile = saved.hierarchies;
            state.pcr_guard.auth = saved.pcr_auth;
            state.commitments = saved.commitments;
            for pcr in &saved.pcrs.0 {
                state.pcrs.restore(pcr.bank, pcr.number, &pcr.digest);
            }
        }
    }
    state.orderly_start = state.shutdown.is_some();
    state.shutdown = None;
    state.started = true;
    Ok(Reply::EMPTY)
}

fn start_time(machine: &mut Machine<'_, '_>, kind: Kind, saved: Option<&Saved>) {
    let state = &mut *machine.state;
    if kind == Kind::Reset {
        state.time.reset_count = state.time.reset_count.wrapping_add(1);
        state.time.total_resets += 1;
        state.time.restart_count = 0;
        state.time.clear_count = 0;
        if state.guard.stored.lockout_recovery == 0 {
            state.guard.stored.lockout_enabled = true;
        }
    } else {
        let before = saved.map_or(0, |saved| saved.restart_count);
        state.time.restart_count = before.wrapping_add(1);
        let cleared = saved.map_or(0, |saved| saved.clear_count);
        state.time.clear_count = cleared.wrapping_add(u32::from(kind == Kind::Restart));
    }
    // A clock that went on in order and was safe is at its limit.
    state.time.unsafe_until = (state.time.clock < state.clock_limit).then_some(state.clock_limit);
}

/// Locks and data that do not outlast a start [Part 2 §13.4].
fn start_nv(machine: &mut Machine<'_, '_>, kind: Kind) {
    if kind == Kind::Resume {
        return;
    }
    machine.state.nv.for_each(|index| {
        let counter = index.public.nv_type() == Some(NvType::Counter);
        let attributes = &mut index.public.attributes;
        attributes.remove(NvAttributes::READLOCKED);
        let forgotten = attributes.contains(NvAttributes::CLEAR_STCLEAR)
            || (attributes.contains(NvAttributes::ORDERLY) && kind == Kind::Reset);
        if forgotten && !counter {
            attributes.remove(NvAttributes::WRITTEN);
        }
        if !attributes.contains(NvAttributes::WRITTEN | NvAttributes::WRITEDEFINE) {
            attributes.remove(NvAttributes::WRITELOCKED);
        }
    });
}

/// TPM2_Shutdown [Part 3 §9.4].
pub(crate) fn shutdown(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let (wanted,): (StartupType,) = call.parameters()?;
    let state = &mut *machine.state;
    // A resumption would find other banks than were saved.
    if wanted == StartupType::State
        && !state.pcrs.allocation().eq(state.allocation.0.iter().copied())
    {
        return Err(ResponseCode::TYPE.parameter(1));
    }
    state.saved = (wanted == StartupType::State).then(|| Saved {
        hierarchies: state.hierarchies.volatile.clone(),
        null_seed: state.hierarchies.null_seed.clone(),
        null_proof: state.hierarchies.null_proof.clone(),
        pcrs: List(
            state
                .pcrs
                .saved()
                .into_iter()
                .map(|(bank, number, digest)| SavedPcr {
                    bank,
                    number,
                    digest: Digest::new(digest),
                })
                .collect(),
        ),
        pcr_counter: state.pcrs.counter,
        pcr_auth: state.pcr_guard.auth.clone(),
        restart_count: state.time.restart_count,
        clear_count: state.time.clear_count,
        audit_digest: Digest::new(state.audit.digest.as_slice()),
        sessions: state.sessions.saved(),
        session_contexts: state.sessions.context_counter,
        object_contexts: state.object_contexts,
        commitments: state.commitments.clone(),
    });
    state.saved_timers = if wanted == StartupType::State {
        state.timers.save(state.time.time)
    } else {
        SavedTimers::EMPTY
    };
    state.shutdown = Some(Ending::new(wanted, state.root));
    // Nobody was told a later time. If somebody may have been, that stays so.
    if state.time.unsafe_until.is_none() {
        state.clock_limit = state.time.clock;
    }
    Ok(Reply::EMPTY)
}
