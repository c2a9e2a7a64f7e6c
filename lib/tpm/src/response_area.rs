//! The authorization area of a response: what the device proves, and what a
//! session has become by it [Part 1 §17–19].

use alloc::vec::Vec;

use tpm_crypto::hmac::Hmac;

use crate::authorization::{Authorization, hmac_key, position, session_value};
use crate::machine::Machine;
use crate::parameter_encryption::{Direction, conceal};
use crate::request::Request;
use crate::response_code::ResponseCode;
use crate::state::session::{Policy, ValueNeeded};
use crate::table::{Command, Traits};
use crate::wire::algorithm::{Hash, SessionType};
use crate::wire::bits::SessionAttributes;
use crate::wire::codec::Wire;
use crate::wire::structure::Digest;

/// Makes the authorization area of a successful response and encrypts its
/// first parameter where asked; what is audited and proved is what is sent. Ends
/// sessions that shall not continue.
pub(crate) fn answer(
    machine: &mut Machine<'_, '_>,
    code: u32,
    authorizations: &[Authorization],
    command_hashes: &[(u32, Vec<u8>)],
    parameters: &mut [u8],
) -> Result<Vec<u8>, ResponseCode> {
    for authorization in authorizations {
        let size = match machine.state.sessions.get(authorization.session) {
            Some(session) => session.nonce_tpm.len(),
            None => continue,
        };
        let nonce = Digest::new(machine.random(size)?);
        if let Some(session) = machine.state.sessions.get_mut(authorization.session) {
            session.nonce_tpm = nonce;
        }
    }
    if let Some(authorization) = position(authorizations, SessionAttributes::ENCRYPT)
        .and_then(|index| authorizations.get(index))
        && let Some(session) = machine.state.sessions.get(authorization.session)
    {
        let key = session_value(machine, authorization.session, authorization.entity);
        let nonces = [&session.nonce_tpm[..], &authorization.nonce_caller];
        conceal(session, &key, nonces, parameters, Direction::Encrypt)?;
    }
    record_audit(machine, code, authorizations, command_hashes, parameters);
    let mut area = Vec::new();
    for authorization in authorizations {
        answer_one(machine, code, authorization, parameters, &mut area);
    }
    for authorization in authorizations {
        if authorization.attributes.contains(SessionAttributes::CONTINUE) {
            restart_policy(machine, authorization.session);
        } else {
            machine.state.sessions.remove(authorization.session);
        }
    }
    Ok(area)
}

/// A policy session that was used and goes on has shown nothing for its next
/// use, whose time begins with the new nonce [Part 1 §19.6.1].
fn restart_policy(machine: &mut Machine<'_, '_>, handle: u32) {
    let (now_ms, epoch) = (machine.state.time.time, machine.state.time.epoch());
    if let Some(session) = machine.state.sessions.get_mut(handle)
        && session.kind == SessionType::Policy
    {
        session.policy = Policy::empty(session.hash);
        (session.start_ms, session.epoch) = (now_ms, epoch);
    }
}

fn answer_one(
    machine: &mut Machine<'_, '_>,
    code: u32,
    authorization: &Authorization,
    parameters: &[u8],
    area: &mut Vec<u8>,
) {
    let attributes = authorization.attributes;
    let Some(session) = machine.state.sessions.get(authorization.session) else {
        // A password: nothing to prove, and it always "continues".
        Digest::EMPTY.write(area);
        (attributes | SessionAttributes::CONTINUE).write(area);
        Digest::EMPTY.write(area);
        return;
    };
    let mut attributes = attributes;
    attributes.set(
        SessionAttributes::AUDIT_EXCLUSIVE,
        attributes.contains(SessionAttributes::AUDIT)
            && machine.state.sessions.exclusive == Some(authorization.session),
    );
    attributes.remove(SessionAttributes::AUDIT_RESET);
    let key = hmac_key(machine, authorization);
    let by_password =
        session.kind == SessionType::Policy && session.policy.value == ValueNeeded::Password;
    let unkeyed = key.as_bytes().is_empty() && authorization.value.is_empty();
    let proof = if by_password || unkeyed {
        Digest::EMPTY
    } else {
        let mut hmac = Hmac::new(session.hash.algorithm(), key.as_bytes());
        hmac.update(&response_hash(code, parameters, session.hash));
        hmac.update(&session.nonce_tpm);
        hmac.update(&authorization.nonce_caller);
        hmac.update(&[attributes.bits()]);
        Digest::new(hmac.finish().as_bytes())
    };
    session.nonce_tpm.write(area);
    attributes.write(area);
    proof.write(area);
}

/// Extends the digest of the audit session, if there is one, and decides who
/// is exclusive from here on [Part 1 §31.3].
fn record_audit(
    machine: &mut Machine<'_, '_>,
    code: u32,
    authorizations: &[Authorization],
    command_hashes: &[(u32, Vec<u8>)],
    parameters: &[u8],
) {
    let Some(authorization) = position(authorizations, SessionAttributes::AUDIT)
        .and_then(|index| authorizations.get(index))
    else {
        return;
    };
    let reset = authorization.attributes.contains(SessionAttributes::AUDIT_RESET);
    let Some(session) = machine.state.sessions.get_mut(authorization.session) else {
        return;
    };
    let begins = reset || session.audit.is_none();
    let before = session
        .audit
        .take()
        .filter(|_| !begins)
        .unwrap_or_else(|| Digest::new(alloc::vec![0; session.hash.size()]));
    let command = command_hashes
        .iter()
        .find(|(handle, _)| *handle == authorization.session)
        .map(|(_, hash)| hash.as_slice())
        .unwrap_or_default();
    let response = response_hash(code, parameters, session.hash);
    let digest = session.hash.algorithm().digest(&[&before, command, &response]);
    session.audit = Some(Digest::new(digest.as_bytes()));
    if begins {
        // A session for audit is bound to nobody, as in the reference
        // implementation.
        session.bound = None;
        machine.state.sessions.exclusive = Some(authorization.session);
    }
}

/// Notes which audit session stays exclusive after a command.
pub(crate) fn note_exclusive(
    machine: &mut Machine<'_, '_>,
    command: &Command,
    authorizations: &[Authorization],
) {
    // Commands that take no sessions, which move contexts, cannot be audited.
    if command.traits.contains(Traits::NO_SESSIONS) {
        return;
    }
    let audited = authorizations
        .iter()
        .find(|authorization| authorization.attributes.contains(SessionAttributes::AUDIT))
        .map(|authorization| authorization.session);
    if audited.is_none() || machine.state.sessions.exclusive != audited {
        machine.state.sessions.exclusive = None;
    }
}

/// The digests of a command for its audit session, taken before decryption.
pub(crate) fn audit_hashes(
    machine: &Machine<'_, '_>,
    request: &Request<'_>,
    authorizations: &[Authorization],
) -> Vec<(u32, Vec<u8>)> {
    authorizations
        .iter()
        .filter(|authorization| authorization.attributes.contains(SessionAttributes::AUDIT))
        .filter_map(|authorization| {
            let session = machine.state.sessions.get(authorization.session)?;
            Some((authorization.session, request.hash(session.hash)))
        })
        .collect()
}

/// rpHash: the digest of what is answered to a success [Part 1 §16.8].
pub(crate) fn response_hash(code: u32, parameters: &[u8], hash: Hash) -> Vec<u8> {
    let success = ResponseCode::SUCCESS.0.to_be_bytes();
    hash.algorithm().digest(&[&success, &code.to_be_bytes(), parameters]).as_bytes().to_vec()
}
