//! Sessions [Part 3 §11].

use tpm_crypto::derivation::kdfa;
use tpm_crypto::secret::Secret;

use crate::call::{Call, Reply};
use crate::entity_guard::guarding;
use crate::machine::Machine;
use crate::response_code::ResponseCode;
use crate::secret_exchange::{Purpose, recover};
use crate::state::session::{Binding, Guarding, Policy, Session};
use crate::wire::algorithm::{Hash, SessionType, SymmetricMode};
use crate::wire::bits::ObjectAttributes;
use crate::wire::handle::{HandleType, NULL};
use crate::wire::public::Details;
use crate::wire::structure::{Digest, EncryptedSecret};
use crate::wire::symmetric::SymmetricDefinition;

/// The shortest nonce of a caller, in bytes [Part 3 §11.1.1].
const MIN_NONCE: usize = 16;

/// TPM2_StartAuthSession [Part 3 §11.1].
pub(crate) fn start(machine: &mut Machine<'_, '_>, call: &Call<'_>) -> Result<Reply, ResponseCode> {
    let (nonce_caller, salt, kind, symmetric, hash): (
        Digest,
        EncryptedSecret,
        SessionType,
        SymmetricDefinition,
        Hash,
    ) = call.parameters()?;
    if nonce_caller.len() < MIN_NONCE || nonce_caller.len() > hash.size() {
        return Err(ResponseCode::SIZE.parameter(1));
    }
    let (salt_key, bind) = (call.handle(0), call.handle(1));
    let salt = if salt_key == NULL {
        if !salt.is_empty() {
            return Err(ResponseCode::VALUE.parameter(2));
        }
        None
    } else {
        check_salt_key(machine, salt_key, &salt)?;
        // Whatever is wrong with a salt, one answer says so.
        let salt = recover(machine, salt_key, Purpose::Session, &salt).map_err(|error| {
            if error == ResponseCode::FAILURE { error } else { ResponseCode::VALUE.parameter(2) }
        })?;
        Some(salt)
    };
    let bound = if bind == NULL { None } else { Some(binding(machine, bind)?) };
    if let SymmetricDefinition::Block { mode, .. } = symmetric
        && mode != Some(SymmetricMode::CipherFeedback)
    {
        return Err(ResponseCode::MODE.parameter(4));
    }
    let nonce_tpm = Digest::new(machine.random(nonce_caller.len())?);
    let key = if bound.is_none() && salt.is_none() {
        Digest::EMPTY
    } else {
        let mut value = bound.as_ref().map(|bound| bound.auth.to_vec()).unwrap_or_default();
        value.extend_from_slice(salt.as_ref().map_or(&[], Secret::as_bytes));
        let value = Secret::new(value);
        let bits = u32::try_from(hash.size() * 8).expect("digests are short");
        let key = kdfa(hash.algorithm(), value.as_bytes(), b"ATH", &nonce_tpm, &nonce_caller, bits);
        Digest::new(key.as_bytes())
    };
    let session = Session {
        kind,
        hash,
        symmetric,
        key,
        nonce_tpm: nonce_tpm.clone(),
        bound: bound.filter(|_| kind == SessionType::Hmac),
        guarding: if bind == NULL { Guarding::Exempt } else { guarding(machine, bind) },
        audit: None,
        epoch: machine.state.time.epoch(),
        start_ms: machine.state.time.time,
        policy: Policy::empty(hash),
    };
    let handle = machine.state.sessions.add(session)?;
    Ok(Reply::handle(handle).with(&nonce_tpm))
}

/// Whether salts can be told to this key: an asymmetric one that decrypts.
fn check_salt_key(
    machine: &Machine<'_, '_>,
    handle: u32,
    salt: &EncryptedSecret,
) -> Result<(), ResponseCode> {
    // A sequence has a handle too, and no key.
    let key = machine.state.objects.get(handle);
    let key = key
        .filter(|key| matches!(key.public.details, Details::Rsa { .. } | Details::Ecc { .. }))
        .ok_or(ResponseCode::KEY.handle(1))?;
    if salt.is_empty() {
        return Err(ResponseCode::VALUE.parameter(2));
    }
    if key.sensitive.0.is_none() {
        return Err(ResponseCode::HANDLE.handle(1));
    }
    if !key.public.attributes.contains(ObjectAttributes::DECRYPT) {
        return Err(ResponseCode::ATTRIBUTES.handle(1));
    }
    Ok(())
}

/// What ties a session to an entity.
fn binding(machine: &Machine<'_, '_>, bind: u32) -> Result<Binding, ResponseCode> {
    // Of a public key alone no value is known; a sequence has no name.
    let object =
        matches!(HandleType::of(bind), Some(HandleType::Transient | HandleType::Persistent));
    if object && machine.object(bind, 2).is_ok_and(|object| object.sensitive.0.is_none()) {
        return Err(ResponseCode::HANDLE.handle(2));
    }
    // Guesses at a PIN have to be counted where they are made.
    if machine.state.nv.get(bind).is_some_and(|index| index.pin().is_some()) {
        return Err(ResponseCode::HANDLE.handle(2));
    }
    Ok(Binding { name: machine.name(bind), auth: machine.auth_value(bind) })
}

/// TPM2_PolicyRestart [Part 3 §11.2].
pub(crate) fn policy_restart(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let () = call.parameters()?;
    let session = machine.session(call.handle(0));
    session.policy = Policy::empty(session.hash);
    Ok(Reply::EMPTY)
}
