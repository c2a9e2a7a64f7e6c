//! Policies by an authority's word: secrets, tickets, approved policies
//! [Part 3 §23.4, §23.5, §23.16].

use crate::call::{Call, Reply};
use crate::machine::Machine;
use crate::policy_update::{extend_with_reference, restart};
use crate::response_code::ResponseCode;
use crate::state::session::BoundTo;
use crate::wire::algorithm::{Hash, SessionType};
use crate::wire::bits::NvAttributes;
use crate::wire::codec::{Reader, Wire};
use crate::wire::containers::Buffer;
use crate::wire::handle::{ENDORSEMENT, HandleType, OWNER, PLATFORM};
use crate::wire::nv::NvType;
use crate::wire::structure::{Data, Digest, Name};
use crate::wire::ticket::{AUTH_SECRET, AuthorizationTicket, Ticket, VERIFIED, VerifiedTicket};

const POLICY_SECRET: u32 = 0x151;
const POLICY_SIGNED: u32 = 0x160;

/// TPM2B_TIMEOUT: the device's time in ms at which a ticket expires.
type Timeout = Buffer<8>;

/// TPM2_PolicySecret [Part 3 §23.4].
pub(crate) fn secret(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let (nonce, command_hash, reference, expiration): (Digest, Digest, Data, i32) =
        call.parameters()?;
    let (entity, handle) = (call.handle(0), call.handle(1));
    let now = machine.state.time.time;
    let session = machine.session(handle);
    let seconds = u64::from(expiration.unsigned_abs());
    let start = if nonce.is_empty() { 0 } else { session.start_ms };
    let expires = (seconds != 0).then(|| start.saturating_add(seconds * 1000));
    if session.kind != SessionType::Trial {
        if !nonce.is_empty() && nonce != session.nonce_tpm {
            return Err(ResponseCode::NONCE.parameter(1));
        }
        if expires.is_some_and(|expires| expires < now) {
            return Err(ResponseCode::EXPIRED.parameter(4));
        }
        check_command_hash(machine, handle, &command_hash, 2)?;
    }
    let name = machine.name(entity);
    extend_with_reference(machine.session(handle), POLICY_SECRET, &name, &reference);
    limit(machine, handle, &command_hash, expires);
    let pin_pass = machine
        .state
        .nv
        .get(entity)
        .is_some_and(|index| index.public.nv_type() == Some(NvType::PinPass));
    let (Some(expires), true) = (expires, expiration < 0 && !pin_pass) else {
        return Ok(Reply::EMPTY.with(&Timeout::EMPTY).with(&Ticket::null(AUTH_SECRET)));
    };
    let timeout = Timeout::new(expires.to_be_bytes());
    let hierarchy = hierarchy_of(machine, entity);
    let ticket = authorization_ticket(
        machine,
        AUTH_SECRET,
        hierarchy,
        &timeout,
        &command_hash,
        &reference,
        &name,
    );
    Ok(Reply::EMPTY.with(&timeout).with(&ticket))
}

/// TPM2_PolicyTicket [Part 3 §23.5].
pub(crate) fn ticket(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let (timeout, command_hash, reference, name, AuthorizationTicket(ticket)): (
        Timeout,
        Digest,
        Data,
        Name,
        AuthorizationTicket,
    ) = call.parameters()?;
    let handle = call.handle(0);
    if machine.session(handle).kind == SessionType::Trial {
        return Err(ResponseCode::ATTRIBUTES.handle(1));
    }
    let code = if ticket.tag == AUTH_SECRET { POLICY_SECRET } else { POLICY_SIGNED };
    if timeout.len() != 8 {
        return Err(ResponseCode::SIZE.parameter(1));
    }
    let expires = u64::read(&mut Reader::new(&timeout))?;
    if expires < machine.state.time.time {
        return Err(ResponseCode::EXPIRED.parameter(1));
    }
    check_command_hash(machine, handle, &command_hash, 2)?;
    let expected = authorization_ticket(
        machine,
        ticket.tag,
        ticket.hierarchy,
        &timeout,
        &command_hash,
        &reference,
        &name,
    );
    if expected.digest.is_empty() || !tpm_crypto::secret::equal(&expected.digest, &ticket.digest) {
        return Err(ResponseCode::TICKET.parameter(5));
    }
    extend_with_reference(machine.session(handle), code, &name, &reference);
    limit(machine, handle, &command_hash, Some(expires));
    Ok(Reply::EMPTY)
}

/// TPM2_PolicyAuthorize [Part 3 §23.16].
pub(crate) fn authorize(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let (approved, reference, key, VerifiedTicket(ticket)): (Digest, Data, Name, VerifiedTicket) =
        call.parameters()?;
    let handle = call.handle(0);
    let session = machine.session(handle);
    let current = session.policy.digest.clone();
    if session.kind != SessionType::Trial {
        let hash =
            Hash::read(&mut Reader::new(&key)).map_err(|_| ResponseCode::HASH.parameter(3))?;
        if key.len() != 2 + hash.size() {
            return Err(ResponseCode::SIZE.parameter(3));
        }
        if approved != current {
            return Err(ResponseCode::VALUE.parameter(1));
        }
        let digest = hash.algorithm().digest(&[&approved, &reference]);
        let expected = machine.ticket(VERIFIED, ticket.hierarchy, &[digest.as_bytes(), &key]);
        if expected.digest.is_empty()
            || !tpm_crypto::secret::equal(&expected.digest, &ticket.digest)
        {
            return Err(ResponseCode::VALUE.parameter(4));
        }
    }
    let session = machine.session(handle);
    restart(session);
    extend_with_reference(session, 0x16A, &key, &reference);
    Ok(Reply::EMPTY)
}

/// A ticket for an authorization [Part 2 §10.7.5]. Time starts again with every
/// power cycle, so the counters of starts are part of it.
#[allow(clippy::too_many_arguments, reason = "they are what the ticket vouches for")]
fn authorization_ticket(
    machine: &Machine<'_, '_>,
    tag: u16,
    hierarchy: u32,
    timeout: &Timeout,
    command_hash: &Digest,
    reference: &Data,
    name: &Name,
) -> Ticket {
    let time = &machine.state.time;
    let parts: [&[u8]; 6] = [
        &timeout.to_bytes(),
        &command_hash.to_bytes(),
        &reference.to_bytes(),
        &name.to_bytes(),
        &time.reset_count.to_be_bytes(),
        &time.restart_count.to_be_bytes(),
    ];
    machine.ticket(tag, hierarchy, &parts)
}

/// The hierarchy whose proof vouches for an entity.
fn hierarchy_of(machine: &Machine<'_, '_>, entity: u32) -> u32 {
    match HandleType::of(entity) {
        Some(HandleType::NvIndex) => {
            let platform = machine.state.nv.get(entity).is_some_and(|index| {
                index.public.attributes.contains(NvAttributes::PLATFORMCREATE)
            });
            if platform { PLATFORM } else { OWNER }
        }
        Some(HandleType::Permanent) if matches!(entity, ENDORSEMENT | PLATFORM) => entity,
        Some(HandleType::Transient) => crate::wire::handle::NULL,
        _ => OWNER,
    }
}

fn check_command_hash(
    machine: &mut Machine<'_, '_>,
    handle: u32,
    command_hash: &Digest,
    number: u32,
) -> Result<(), ResponseCode> {
    let session = machine.session(handle);
    if command_hash.is_empty() {
        return Ok(());
    }
    if command_hash.len() != session.hash.size() {
        return Err(ResponseCode::SIZE.parameter(number));
    }
    match &session.policy.bound_to {
        Some(before) if *before != BoundTo::Parameters(command_hash.clone()) => {
            Err(ResponseCode::CPHASH)
        }
        _ => Ok(()),
    }
}

/// Narrows a policy to a command hash and a time.
fn limit(machine: &mut Machine<'_, '_>, handle: u32, command_hash: &Digest, expires: Option<u64>) {
    let policy = &mut machine.session(handle).policy;
    if !command_hash.is_empty() {
        policy.bound_to = Some(BoundTo::Parameters(command_hash.clone()));
    }
    policy.expires_ms = match (policy.expires_ms, expires) {
        (Some(before), Some(now)) => Some(before.min(now)),
        (before, now) => before.or(now),
    };
}
