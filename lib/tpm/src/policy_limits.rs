//! What an authorization in a policy is limited to: this session, a command, a
//! time [Part 3 §23.2.2–23.2.5].

use tpm_crypto::secret::equal;

use crate::call::Reply;
use crate::machine::Machine;
use crate::policy_update::extend_with_reference;
use crate::response_code::ResponseCode;
use crate::state::session::BoundTo;
use crate::wire::algorithm::SessionType;
use crate::wire::codec::{Reader, Wire};
use crate::wire::containers::Buffer;
use crate::wire::structure::{Digest, Name};
use crate::wire::ticket::Ticket;

/// TPM2B_TIMEOUT: the device's time in ms at which a ticket expires.
pub(crate) type Timeout = Buffer<8>;

/// The parameters with which `TPM2_PolicySecret` and `TPM2_PolicySigned` begin,
/// at these positions.
pub(crate) struct Limits {
    /// The session's, or empty.
    pub(crate) nonce: Digest,
    /// Of the command that is allowed, or empty.
    pub(crate) command_hash: Digest,
    pub(crate) reference: Digest,
    /// In seconds; negative asks for a ticket, zero is for ever.
    pub(crate) expiration: i32,
}

impl Limits {
    /// When the authorization expires, in the device's time.
    fn expires(&self, start_ms: u64) -> Option<u64> {
        let start = if self.nonce.is_empty() { 0 } else { start_ms };
        let milliseconds = u64::from(self.expiration.unsigned_abs()) * 1000;
        (milliseconds != 0).then(|| start.saturating_add(milliseconds))
    }

    /// Checks the limits against a session that is no trial.
    ///
    /// # Errors
    ///
    /// [`ResponseCode::NONCE`], [`ResponseCode::EXPIRED`], or what
    /// [`check_command_hash`] says.
    pub(crate) fn check(
        &self,
        machine: &mut Machine<'_, '_>,
        handle: u32,
    ) -> Result<(), ResponseCode> {
        let (now, epoch) = (machine.state.time.time, machine.state.time.epoch());
        let session = machine.session(handle);
        if !self.nonce.is_empty() && self.nonce != session.nonce_tpm {
            return Err(ResponseCode::NONCE.parameter(1));
        }
        let expires = self.expires(session.start_ms);
        if expires.is_some_and(|expires| expires < now || session.epoch != epoch) {
            return Err(ResponseCode::EXPIRED.parameter(4));
        }
        check_command_hash(machine, handle, &self.command_hash)
    }

    /// Works the authorization by the entity `name` into the policy.
    pub(crate) fn apply(&self, machine: &mut Machine<'_, '_>, handle: u32, code: u32, name: &Name) {
        let session = machine.session(handle);
        let expires = self.expires(session.start_ms);
        extend_with_reference(session, code, name, &self.reference);
        narrow(machine, handle, &self.command_hash, expires);
    }

    /// The reply: a ticket if one was asked for and the session is no trial.
    pub(crate) fn answer(
        &self,
        machine: &mut Machine<'_, '_>,
        handle: u32,
        tag: u16,
        hierarchy: u32,
        name: &Name,
    ) -> Reply {
        let session = machine.session(handle);
        let expires = self
            .expires(session.start_ms)
            .filter(|_| self.expiration < 0 && session.kind != SessionType::Trial);
        let Some(expires) = expires else {
            return no_ticket(tag);
        };
        let timeout = Timeout::new(expires.to_be_bytes());
        let ticket = authorization_ticket(
            machine,
            tag,
            hierarchy,
            [&timeout.to_bytes(), &self.command_hash.to_bytes(), &self.reference.to_bytes()],
            name,
        );
        Reply::EMPTY.with(&timeout).with(&ticket)
    }
}

/// The reply without a ticket.
pub(crate) fn no_ticket(tag: u16) -> Reply {
    Reply::EMPTY.with(&Timeout::EMPTY).with(&Ticket::null(tag))
}

/// A ticket for an authorization by the entity `name` [Part 2 §10.7.5]: `parts`
/// are timeout, command hash and reference, each behind its size. Time starts
/// again with every power cycle, so the start is part of it.
pub(crate) fn authorization_ticket(
    machine: &Machine<'_, '_>,
    tag: u16,
    hierarchy: u32,
    parts: [&[u8]; 3],
    name: &Name,
) -> Ticket {
    let epoch = machine.state.time.epoch().to_be_bytes();
    let [timeout, command_hash, reference] = parts;
    machine.ticket(tag, hierarchy, &[timeout, command_hash, reference, &name.to_bytes(), &epoch])
}

/// When a ticket's authorization expires, if it has not.
///
/// # Errors
///
/// [`ResponseCode::SIZE`] or [`ResponseCode::EXPIRED`], of the first parameter of
/// `TPM2_PolicyTicket`.
pub(crate) fn check_timeout(
    machine: &Machine<'_, '_>,
    timeout: &Timeout,
) -> Result<u64, ResponseCode> {
    if timeout.len() != 8 {
        return Err(ResponseCode::SIZE.parameter(1));
    }
    let expires = u64::read(&mut Reader::new(timeout))?;
    // Zero is no time, and no ticket has it.
    if expires != 0 && expires < machine.state.time.time {
        return Err(ResponseCode::EXPIRED.parameter(1));
    }
    Ok(expires)
}

/// Whether a ticket is the one that [`authorization_ticket`] gives.
///
/// # Errors
///
/// [`ResponseCode::TICKET`] of the last parameter of `TPM2_PolicyTicket` if not.
pub(crate) fn check_ticket(
    machine: &Machine<'_, '_>,
    timeout: &Timeout,
    command_hash: &Digest,
    reference: &Digest,
    name: &Name,
    ticket: &Ticket,
) -> Result<(), ResponseCode> {
    let expected = authorization_ticket(
        machine,
        ticket.tag,
        ticket.hierarchy,
        [&timeout.to_bytes(), &command_hash.to_bytes(), &reference.to_bytes()],
        name,
    );
    if equal(&expected.digest, &ticket.digest) {
        Ok(())
    } else {
        Err(ResponseCode::TICKET.parameter(5))
    }
}

/// Whether a command hash, the second parameter, can be worked into a policy.
///
/// # Errors
///
/// [`ResponseCode::SIZE`], or [`ResponseCode::CPHASH`] if the policy is bound to
/// something else.
pub(crate) fn check_command_hash(
    machine: &mut Machine<'_, '_>,
    handle: u32,
    command_hash: &Digest,
) -> Result<(), ResponseCode> {
    let session = machine.session(handle);
    if command_hash.is_empty() {
        return Ok(());
    }
    if command_hash.len() != session.hash.size() {
        return Err(ResponseCode::SIZE.parameter(2));
    }
    match &session.policy.bound_to {
        Some(before) if *before != BoundTo::Parameters(command_hash.clone()) => {
            Err(ResponseCode::CPHASH)
        }
        _ => Ok(()),
    }
}

/// Narrows a policy to a command hash and a time.
pub(crate) fn narrow(
    machine: &mut Machine<'_, '_>,
    handle: u32,
    command_hash: &Digest,
    expires: Option<u64>,
) {
    let policy = &mut machine.session(handle).policy;
    if !command_hash.is_empty() {
        policy.bound_to = Some(BoundTo::Parameters(command_hash.clone()));
    }
    policy.expires_ms = match (policy.expires_ms, expires) {
        (Some(before), Some(now)) => Some(before.min(now)),
        (before, now) => before.or(now),
    };
}
