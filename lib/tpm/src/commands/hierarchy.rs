//! Hierarchies [Part 3 §24].

use crate::call::{Call, Reply};
use crate::machine::Machine;
use crate::response_code::ResponseCode;
use crate::state::hierarchy::Authorization;
use crate::state::lockout::Lockout;

use crate::wire::algorithm::{Enable, Hash};
use crate::wire::bits::NvAttributes;
use crate::wire::handle::{ENDORSEMENT, LOCKOUT, OWNER, PLATFORM};
use crate::wire::structure::Digest;

/// TPM2_HierarchyControl [Part 3 §24.2]. An owner can disable, the platform
/// can do both.
pub(crate) fn control(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let (enable, state): (Enable, bool) = call.parameters()?;
    let enable = enable.number();
    let authorized_by = call.handle(0);
    // Whoever is disabled cannot authorize, so this never enables anything.
    let by_itself = matches!(enable, OWNER | ENDORSEMENT) && authorized_by == enable;
    if authorized_by != PLATFORM && !by_itself {
        return Err(ResponseCode::AUTH_TYPE);
    }
    if !state {
        machine.state.objects.flush_hierarchy(enable);
    }
    let hierarchies = &mut machine.state.hierarchies;
    match enable {
        OWNER => hierarchies.volatile.owner_enabled = state,
        ENDORSEMENT => hierarchies.volatile.endorsement_enabled = state,
        PLATFORM => hierarchies.platform_enabled = state,
        _ => hierarchies.volatile.platform_nv_enabled = state,
    }
    Ok(Reply::EMPTY)
}

/// TPM2_SetPrimaryPolicy [Part 3 §24.3].
pub(crate) fn set_primary_policy(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let (policy, hash): (Digest, Option<Hash>) = call.parameters()?;
    if policy.len() != hash.map_or(0, Hash::size) {
        return Err(ResponseCode::SIZE.parameter(1));
    }
    if let Some(timer) = machine.state.timers.get_mut(call.handle(0)) {
        timer.policy_hash = hash;
        timer.policy = policy;
        return Ok(Reply::EMPTY);
    }
    let authorization = authorization(machine, call)?;
    authorization.policy_hash = hash;
    authorization.policy = policy;
    Ok(Reply::EMPTY)
}

/// TPM2_HierarchyChangeAuth [Part 3 §24.8].
pub(crate) fn change_auth(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let (value,): (Digest,) = call.parameters()?;
    authorization(machine, call)?.value = value.without_trailing_zeros();
    Ok(Reply::EMPTY)
}

fn authorization<'a>(
    machine: &'a mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<&'a mut Authorization, ResponseCode> {
    machine.state.hierarchies.authorization_mut(call.handle(0)).ok_or(ResponseCode::VALUE.handle(1))
}

/// TPM2_ChangePPS [Part 3 §24.4].
pub(crate) fn change_platform_seed(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let () = call.parameters()?;
    let (seed, proof) = (machine.new_seed()?, machine.new_seed()?);
    machine.state.objects.forget_hierarchy(PLATFORM);
    let hierarchies = &mut machine.state.hierarchies;
    hierarchies.persistent.platform_seed = seed;
    hierarchies.persistent.platform_proof = proof;
    hierarchies.volatile.platform.policy_hash = None;
    hierarchies.volatile.platform.policy = Digest::EMPTY;
    Ok(Reply::EMPTY)
}

/// TPM2_ChangeEPS [Part 3 §24.5].
pub(crate) fn change_endorsement_seed(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let () = call.parameters()?;
    let (seed, proof) = (machine.new_seed()?, machine.new_seed()?);
    machine.state.objects.forget_hierarchy(ENDORSEMENT);
    let hierarchies = &mut machine.state.hierarchies;
    hierarchies.persistent.endorsement_seed = seed;
    hierarchies.persistent.endorsement_proof = proof;
    hierarchies.persistent.seed_generated = true;
    hierarchies.persistent.endorsement = Authorization::EMPTY;
    hierarchies.volatile.endorsement_enabled = true;
    Ok(Reply::EMPTY)
}

/// TPM2_Clear [Part 3 §24.6]: a new owner begins.
pub(crate) fn clear(machine: &mut Machine<'_, '_>, call: &Call<'_>) -> Result<Reply, ResponseCode> {
    let () = call.parameters()?;
    if machine.state.hierarchies.persistent.disable_clear {
        return Err(ResponseCode::DISABLED);
    }
    let (seed, owner_proof, endorsement_proof) =
        (machine.new_seed()?, machine.new_seed()?, machine.new_seed()?);
    let state = &mut *machine.state;
    state.objects.forget_hierarchy(OWNER);
    state.objects.forget_hierarchy(ENDORSEMENT);
    let persistent = &mut state.hierarchies.persistent;
    persistent.owner_seed = seed;
    persistent.owner_proof = owner_proof;
    persistent.endorsement_proof = endorsement_proof;
    persistent.owner = Authorization::EMPTY;
    persistent.endorsement = Authorization::EMPTY;
    persistent.lockout = Authorization::EMPTY;
    state.hierarchies.volatile.owner_enabled = true;
    state.hierarchies.volatile.endorsement_enabled = true;
    let owned: alloc::vec::Vec<u32> = state
        .nv
        .all()
        .filter(|(_, index)| !index.public.attributes.contains(NvAttributes::PLATFORMCREATE))
        .map(|(handle, _)| *handle)
        .collect();
    for handle in owned {
        state.nv.undefine(handle);
    }
    // These and the values of PCRs were the owner's too, as in the reference
    // implementation.
    state.guard.stored = Lockout::DEFAULT;
    state.pcr_guard.auth = Digest::EMPTY;
    state.time.clock = 0;
    state.time.unsafe_until = None;
    state.time.reset_count = 0;
    state.time.restart_count = 0;
    state.pcrs.counter = state.pcrs.counter.wrapping_add(1);
    Ok(Reply::EMPTY)
}

/// TPM2_ClearControl [Part 3 §24.7].
pub(crate) fn clear_control(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let (disable,): (bool,) = call.parameters()?;
    if call.handle(0) == LOCKOUT && !disable {
        return Err(ResponseCode::AUTH_FAIL);
    }
    machine.state.hierarchies.persistent.disable_clear = disable;
    Ok(Reply::EMPTY)
}
