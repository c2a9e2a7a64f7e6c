//! The authorization area: who asks, and may they [Part 1 §17–19].
//!
//! Three steps. [`read`] takes the area apart and checks what can be seen
//! without secrets. [`check`] verifies every session against the handle it
//! authorizes. [`decrypt`] then opens the first parameter.

use alloc::vec::Vec;

use tpm_crypto::hmac::Hmac;
use tpm_crypto::secret::{Secret, equal};

use crate::entity_guard::{
    auth_value_available, check_guess, check_not_locked, count_failure, count_use, guarding,
    policy_available, policy_required,
};
use crate::machine::Machine;
use crate::parameter_encryption::{Direction, conceal};
use crate::platform::PhysicalPresence;
use crate::policy_check::check_policy;
use crate::request::Request;
use crate::response_code::ResponseCode;
use crate::state::session::ValueNeeded;
use crate::state::session_slots::MAX_ACTIVE;
use crate::table::{Command, Role, Traits};
use crate::wire::algorithm::SessionType;
use crate::wire::bits::SessionAttributes;
use crate::wire::codec::{Reader, Wire};
use crate::wire::handle::{HandleType, PASSWORD, PLATFORM};
use crate::wire::structure::Digest;
use crate::wire::symmetric::SymmetricDefinition;

/// Authorizations that a command can carry.
const MAX_AUTHORIZATIONS: usize = 3;

/// One authorization of a command.
#[derive(Clone, Debug)]
pub(crate) struct Authorization {
    pub(crate) session: u32,
    pub(crate) nonce_caller: Digest,
    pub(crate) attributes: SessionAttributes,
    pub(crate) value: Digest,
    /// The handle that it authorizes.
    pub(crate) entity: Option<u32>,
    /// The entity's authorization value is part of the HMAC's key.
    value_in_key: bool,
}

/// Takes the authorization area apart.
pub(crate) fn read(
    machine: &Machine<'_, '_>,
    command: &'static Command,
    handles: &[u32],
    area: &[u8],
) -> Result<Vec<Authorization>, ResponseCode> {
    let mut reader = Reader::new(area);
    let mut found: Vec<Authorization> = Vec::new();
    for number in 1.. {
        if reader.rest().is_empty() {
            break;
        }
        if found.len() == MAX_AUTHORIZATIONS {
            return Err(ResponseCode::SIZE.session(number));
        }
        let authorization = read_one(&mut reader).map_err(|error| error.session(number))?;
        check_form(machine, command, &found, &authorization, number)?;
        found.push(authorization);
    }
    let needed = command.handles.iter().zip(handles).filter(|(row, _)| row.role != Role::None);
    for (index, (_, handle)) in needed.enumerate() {
        found.get_mut(index).ok_or(ResponseCode::AUTH_MISSING)?.entity = Some(*handle);
    }
    Ok(found)
}

fn read_one(reader: &mut Reader<'_>) -> Result<Authorization, ResponseCode> {
    let session = u32::read(reader)?;
    let sessions = [HandleType::HmacSession, HandleType::PolicySession].map(Some);
    let is_session =
        sessions.contains(&HandleType::of(session)) && session & 0x00FF_FFFF < MAX_ACTIVE;
    if session != PASSWORD && !is_session {
        return Err(ResponseCode::VALUE);
    }
    Ok(Authorization {
        session,
        nonce_caller: Wire::read(reader)?,
        attributes: Wire::read(reader)?,
        value: Wire::read(reader)?,
        entity: None,
        value_in_key: false,
    })
}

fn check_form(
    machine: &Machine<'_, '_>,
    command: &Command,
    before: &[Authorization],
    authorization: &Authorization,
    number: u32,
) -> Result<(), ResponseCode> {
    let attributes = authorization.attributes;
    if authorization.session == PASSWORD {
        if !attributes.difference(SessionAttributes::CONTINUE).is_empty() {
            return Err(ResponseCode::ATTRIBUTES.session(number));
        }
        if !authorization.nonce_caller.is_empty() {
            return Err(ResponseCode::NONCE.session(number));
        }
        return Ok(());
    }
    let missing = match machine.state.sessions.check(authorization.session) {
        Err(ResponseCode::HANDLE) => ResponseCode::HANDLE.session(number),
        _ => ResponseCode::reference_session(number),
    };
    let session = machine.state.sessions.get(authorization.session).ok_or(missing)?;
    if before.iter().any(|other| other.session == authorization.session) {
        return Err(ResponseCode::HANDLE.session(number));
    }
    let uses = [
        (SessionAttributes::DECRYPT, command.traits.contains(Traits::DECRYPT)),
        (SessionAttributes::ENCRYPT, command.traits.contains(Traits::ENCRYPT)),
        (SessionAttributes::AUDIT, session.kind == SessionType::Hmac),
    ];
    for (attribute, possible) in uses {
        if !attributes.contains(attribute) {
            continue;
        }
        if !possible || before.iter().any(|other| other.attributes.contains(attribute)) {
            return Err(ResponseCode::ATTRIBUTES.session(number));
        }
        if attribute != SessionAttributes::AUDIT && session.symmetric == SymmetricDefinition::Null {
            return Err(ResponseCode::SYMMETRIC.session(number));
        }
    }
    let exclusive = machine.state.sessions.exclusive == Some(authorization.session);
    if attributes.contains(SessionAttributes::AUDIT | SessionAttributes::AUDIT_EXCLUSIVE)
        && !attributes.contains(SessionAttributes::AUDIT_RESET)
        && session.audit.is_some()
        && !exclusive
    {
        return Err(ResponseCode::EXCLUSIVE);
    }
    Ok(())
}

/// Checks every authorization.
pub(crate) fn check(
    machine: &mut Machine<'_, '_>,
    request: &Request<'_>,
    authorizations: &mut [Authorization],
) -> Result<(), ResponseCode> {
    let nonces = foreign_nonces(machine, authorizations);
    for (index, number) in (0..authorizations.len()).zip(1..) {
        let extra: &[Digest] = if index == 0 { &nonces } else { &[] };
        let Some(authorization) = authorizations.get_mut(index) else { break };
        check_one(machine, request, authorization, extra, number)
            .map_err(|error| error.session(number))?;
    }
    Ok(())
}

/// The nonces of the sessions for encryption, which the first session's HMAC
/// covers when they are not that session itself [Part 1 §19.6, *from memory*].
fn foreign_nonces(machine: &Machine<'_, '_>, authorizations: &[Authorization]) -> Vec<Digest> {
    let decrypt = position(authorizations, SessionAttributes::DECRYPT);
    let encrypt = position(authorizations, SessionAttributes::ENCRYPT);
    [decrypt, encrypt.filter(|_| encrypt != decrypt)]
        .into_iter()
        .flatten()
        .filter(|index| *index != 0)
        .filter_map(|index| authorizations.get(index))
        .filter_map(|authorization| machine.state.sessions.get(authorization.session))
        .map(|session| session.nonce_tpm.clone())
        .collect()
}

/// The first authorization with this attribute.
pub(crate) fn position(
    authorizations: &[Authorization],
    attribute: SessionAttributes,
) -> Option<usize> {
    authorizations.iter().position(|authorization| authorization.attributes.contains(attribute))
}

fn check_one(
    machine: &mut Machine<'_, '_>,
    request: &Request<'_>,
    authorization: &mut Authorization,
    extra_nonces: &[Digest],
    number: u32,
) -> Result<(), ResponseCode> {
    if let Some(session) = machine.state.sessions.get(authorization.session) {
        if session.kind == SessionType::Trial {
            return Err(ResponseCode::ATTRIBUTES);
        }
        check_not_locked(machine, session.guarding)?;
    }
    let Some(entity) = authorization.entity else {
        if authorization.session == PASSWORD {
            return Err(ResponseCode::HANDLE);
        }
        let purposes =
            SessionAttributes::AUDIT | SessionAttributes::ENCRYPT | SessionAttributes::DECRYPT;
        if !authorization.attributes.intersects(purposes) {
            return Err(ResponseCode::ATTRIBUTES);
        }
        return check_hmac(machine, request, authorization, extra_nonces);
    };
    let role = request
        .command
        .handles
        .iter()
        .map(|row| row.role)
        .filter(|role| *role != Role::None)
        .nth(number as usize - 1)
        .unwrap_or(Role::None);
    if entity == PLATFORM
        && machine.state.presence_commands.contains(&request.command.code)
        && machine.platform.presence == PhysicalPresence::Absent
    {
        return Err(ResponseCode::PP);
    }
    let name = machine.name(entity);
    let value = machine.auth_value(entity);
    let session = machine.state.sessions.get(authorization.session);
    let needed = session.map(|session| session.policy.value);
    let is_policy = session.is_some_and(|session| session.kind == SessionType::Policy);
    authorization.value_in_key = match session {
        Some(session) if is_policy => session.policy.value == ValueNeeded::InHmac,
        Some(session) => !session.is_bound_to(&name, &value),
        None => false,
    };
    let value_used = match (is_policy, needed) {
        (true, Some(needed)) => needed != ValueNeeded::Nothing,
        (false, Some(_)) => authorization.value_in_key,
        (_, None) => true,
    };
    if value_used {
        check_guess(machine, entity)?;
    }
    if is_policy {
        if !policy_available(machine, request.command, entity, role) {
            return Err(ResponseCode::AUTH_UNAVAILABLE);
        }
        check_policy(machine, request, authorization.session, entity, role)?;
    } else {
        if policy_required(machine, entity, role) {
            return Err(ResponseCode::AUTH_TYPE);
        }
        if !auth_value_available(machine, request.command, entity, role) {
            return Err(ResponseCode::AUTH_UNAVAILABLE);
        }
    }
    let by_password = needed.is_none() || (is_policy && needed == Some(ValueNeeded::Password));
    let result = if by_password {
        let given = authorization.value.without_trailing_zeros();
        if equal(&given, &value) {
            Ok(())
        } else {
            Err(count_failure(machine, guarding(machine, entity)))
        }
    } else {
        check_hmac(machine, request, authorization, extra_nonces)
    };
    if value_used {
        count_use(machine, entity, result.is_ok());
    }
    result
}

fn check_hmac(
    machine: &mut Machine<'_, '_>,
    request: &Request<'_>,
    authorization: &Authorization,
    extra_nonces: &[Digest],
) -> Result<(), ResponseCode> {
    let key = hmac_key(machine, authorization);
    let session = machine.session(authorization.session);
    let hash = session.hash;
    let session_guarding = session.guarding;
    let nonce_tpm = session.nonce_tpm.clone();
    let expected = if key.as_bytes().is_empty() && authorization.value.is_empty() {
        Vec::new()
    } else {
        let mut hmac = Hmac::new(hash.algorithm(), key.as_bytes());
        hmac.update(&request.hash(hash));
        hmac.update(&authorization.nonce_caller);
        hmac.update(&nonce_tpm);
        for nonce in extra_nonces {
            hmac.update(nonce);
        }
        hmac.update(&[authorization.attributes.bits()]);
        hmac.finish().as_bytes().to_vec()
    };
    if equal(&expected, &authorization.value) {
        return Ok(());
    }
    // A session's key comes from the value of the entity that it was bound to, so
    // each HMAC is a guess at that value too, whatever it authorizes.
    let guarding = authorization
        .entity
        .filter(|_| authorization.value_in_key)
        .map_or(session_guarding, |entity| guarding(machine, entity).max(session_guarding));
    Err(count_failure(machine, guarding))
}

/// The key of the HMAC by which an authorization proves itself.
pub(crate) fn hmac_key(machine: &Machine<'_, '_>, authorization: &Authorization) -> Secret {
    let entity = authorization.entity.filter(|_| authorization.value_in_key);
    session_value(machine, authorization.session, entity)
}

/// A session's key followed by an entity's authorization value.
pub(crate) fn session_value(
    machine: &Machine<'_, '_>,
    session: u32,
    entity: Option<u32>,
) -> Secret {
    let mut value =
        machine.state.sessions.get(session).map(|session| session.key.to_vec()).unwrap_or_default();
    if let Some(entity) = entity {
        value.extend_from_slice(&machine.auth_value(entity));
    }
    Secret::new(value)
}

/// Opens the first parameter, if a session says that it is encrypted.
pub(crate) fn decrypt(
    machine: &Machine<'_, '_>,
    authorizations: &[Authorization],
    parameters: &mut [u8],
) -> Result<(), ResponseCode> {
    let Some(index) = position(authorizations, SessionAttributes::DECRYPT) else {
        return Ok(());
    };
    let Some((authorization, number)) =
        authorizations.get(index).zip(u32::try_from(index + 1).ok())
    else {
        return Ok(());
    };
    let Some(session) = machine.state.sessions.get(authorization.session) else {
        return Ok(());
    };
    let key = session_value(machine, authorization.session, authorization.entity);
    let nonces = [&authorization.nonce_caller[..], &session.nonce_tpm];
    conceal(session, &key, nonces, parameters, Direction::Decrypt)
        .map_err(|error| error.session(number))
}
