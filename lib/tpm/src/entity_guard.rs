//! Which authorizations an entity takes, and what a wrong one costs.

use crate::machine::Machine;
use crate::response_code::ResponseCode;
use crate::state::pcr::is_guarded;
use crate::state::session::Guarding;
use crate::table::{Command, Role, Traits};
use crate::wire::bits::{NvAttributes, ObjectAttributes};
use crate::wire::handle::LOCKOUT;
use crate::wire::nv::NvType;

/// Whether wrong guesses for `entity` count [Part 1 §19.8.2].
pub(crate) fn guarding(machine: &Machine<'_, '_>, entity: u32) -> Guarding {
    if entity == LOCKOUT {
        return Guarding::Lockout;
    }
    match machine.state.nv.get(entity) {
        Some(index) if !index.public.attributes.contains(NvAttributes::NO_DA) => Guarding::Guarded,
        Some(_) => Guarding::Exempt,
        None => match machine.state.objects.get(entity) {
            Some(object) if !object.public.attributes.contains(ObjectAttributes::NO_DA) => {
                Guarding::Guarded
            }
            _ => Guarding::Exempt,
        },
    }
}

/// Refuses a guess at the authorization value of `entity` while guesses are locked
/// out, or could not be counted.
pub(crate) fn check_guess(machine: &Machine<'_, '_>, entity: u32) -> Result<(), ResponseCode> {
    let is_pin = machine.state.nv.get(entity).is_some_and(|index| index.pin().is_some());
    if is_pin && !machine.platform.store.is_available() {
        return Err(ResponseCode::NV_UNAVAILABLE);
    }
    check_not_locked(machine, guarding(machine, entity))
}

/// Refuses while guesses are locked out, or could not be counted: whoever takes the
/// store away must not learn which one was right.
pub(crate) fn check_not_locked(
    machine: &Machine<'_, '_>,
    guarding: Guarding,
) -> Result<(), ResponseCode> {
    if guarding != Guarding::Exempt && !machine.platform.store.is_available() {
        return Err(ResponseCode::NV_UNAVAILABLE);
    }
    let guard = &machine.state.guard;
    let locked = match guarding {
        Guarding::Exempt => false,
        Guarding::Guarded => guard.is_locked(),
        Guarding::Lockout => !guard.stored.lockout_enabled,
    };
    if locked { Err(ResponseCode::LOCKOUT) } else { Ok(()) }
}

/// Counts a wrong authorization and says what to answer.
pub(crate) fn count_failure(machine: &mut Machine<'_, '_>, guarding: Guarding) -> ResponseCode {
    let now_ms = machine.state.time.time;
    match guarding {
        Guarding::Exempt => return ResponseCode::BAD_AUTH,
        Guarding::Guarded => machine.state.guard.failed(now_ms),
        Guarding::Lockout => machine.state.guard.lockout_failed(now_ms),
    }
    ResponseCode::AUTH_FAIL
}

/// Counts the use of a PIN index [Part 1 §37.2.8].
pub(crate) fn count_use(machine: &mut Machine<'_, '_>, entity: u32, succeeded: bool) {
    let Some(index) = machine.state.nv.get(entity) else { return };
    if !index.public.attributes.contains(NvAttributes::WRITTEN) {
        return;
    }
    let Some((count, limit)) = index.pin() else { return };
    let count = match (index.public.nv_type(), succeeded) {
        (Some(NvType::PinFail), true) => 0,
        (Some(NvType::PinFail), false) | (Some(NvType::PinPass), true) => count.saturating_add(1),
        _ => return,
    };
    let number = (u64::from(count) << 32) | u64::from(limit);
    if let Some(index) = machine.state.nv.get_mut(entity) {
        index.set(number.to_be_bytes().to_vec());
    }
}

/// Whether only a policy will do for `entity` in `role`.
pub(crate) fn policy_required(machine: &Machine<'_, '_>, entity: u32, role: Role) -> bool {
    match (role, machine.state.objects.get(entity)) {
        (Role::Duplicate, _) => true,
        (Role::Admin, Some(object)) => {
            object.public.attributes.contains(ObjectAttributes::ADMIN_WITH_POLICY)
        }
        (Role::Admin, None) => machine.state.nv.get(entity).is_some(),
        // A PCR that has a policy has no other authorization.
        _ => is_guarded(entity) && machine.policy(entity).is_some(),
    }
}

/// Whether the authorization value of `entity` can be used for `command`.
pub(crate) fn auth_value_available(
    machine: &Machine<'_, '_>,
    command: &Command,
    entity: u32,
    role: Role,
) -> bool {
    if let Some(object) = machine.state.objects.get(entity) {
        let allowed = role == Role::Admin
            || object.public.attributes.contains(ObjectAttributes::USER_WITH_AUTH);
        return allowed && object.sensitive.0.is_some();
    }
    if machine.state.timers.get(entity).is_some() {
        return machine.state.hierarchies.platform_enabled;
    }
    let Some(index) = machine.state.nv.get(entity) else { return true };
    let attributes = index.public.attributes;
    if command.traits.contains(Traits::NV_WRITE) {
        return attributes.contains(NvAttributes::AUTHWRITE);
    }
    // A PIN can be used once there is a limit to its uses, until that is reached
    // [Part 1 §37.2.8].
    match index.pin() {
        Some((count, limit)) => attributes.contains(NvAttributes::WRITTEN) && count < limit,
        None => attributes.contains(NvAttributes::AUTHREAD),
    }
}

/// Whether the policy of `entity` can be used for `command`.
pub(crate) fn policy_available(
    machine: &Machine<'_, '_>,
    command: &Command,
    entity: u32,
    role: Role,
) -> bool {
    // Each object and PCR of that kind has one: an empty one is never fulfilled.
    if let Some(object) = machine.state.objects.get(entity) {
        return object.sensitive.0.is_some();
    }
    if is_guarded(entity) {
        return true;
    }
    if machine.policy(entity).is_none() {
        return false;
    }
    let Some(index) = machine.state.nv.get(entity) else { return true };
    if matches!(role, Role::Admin | Role::Duplicate) {
        return true;
    }
    index.public.attributes.contains(if command.traits.contains(Traits::NV_WRITE) {
        NvAttributes::POLICYWRITE
    } else {
        NvAttributes::POLICYREAD
    })
}
