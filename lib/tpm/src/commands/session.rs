//! Sessions [Part 3 §11], and the end of contexts [Part 3 §28.4].

use tpm_crypto::derivation::kdfa;
use tpm_crypto::secret::Secret;

use crate::call::{Call, Reply};
use crate::entity_guard::guarding;
use crate::machine::Machine;
use crate::response_code::ResponseCode;
use crate::state::session::{Guarding, Policy, Session};
use crate::wire::algorithm::{Hash, SessionType, SymmetricMode};
use crate::wire::handle::{HandleType, NULL};
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
    if salt_key != NULL {
        // Sequences are the only objects, and none of them opens a salt.
        return Err(ResponseCode::KEY.handle(1));
    }
    if !salt.is_empty() {
        return Err(ResponseCode::VALUE.parameter(2));
    }
    if let SymmetricDefinition::Aes { mode, .. } = symmetric
        && mode != Some(SymmetricMode::CipherFeedback)
    {
        return Err(ResponseCode::MODE.parameter(4));
    }
    if HandleType::of(bind) == Some(HandleType::Transient) {
        return Err(ResponseCode::HANDLE.handle(2));
    }
    let nonce_tpm = Digest::new(machine.random(nonce_caller.len())?);
    let (bound, key, session_guarding) = if bind == NULL {
        (None, Secret::new(alloc::vec::Vec::new()), Guarding::Exempt)
    } else {
        let value = machine.auth_value(bind);
        let bits = u32::try_from(hash.size() * 8).expect("digests are short");
        let key = kdfa(hash.algorithm(), &value, b"ATH", &nonce_tpm, &nonce_caller, bits);
        (Some((machine.name(bind), value)), key, guarding(machine, bind))
    };
    let session = Session {
        kind,
        hash,
        symmetric,
        key,
        nonce_tpm: nonce_tpm.clone(),
        bound: bound.filter(|_| kind == SessionType::Hmac),
        guarding: session_guarding,
        audit: None,
        start_ms: machine.state.time.time,
        policy: Policy::empty(hash),
    };
    let handle = machine.state.sessions.add(session)?;
    Ok(Reply::handle(handle).with(&nonce_tpm))
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

/// TPM2_FlushContext [Part 3 §28.4].
pub(crate) fn flush_context(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let (handle,): (u32,) = call.parameters()?;
    let found = match HandleType::of(handle) {
        Some(HandleType::HmacSession | HandleType::PolicySession) => {
            machine.state.sessions.remove(handle).is_some()
        }
        Some(HandleType::Transient) => {
            machine.state.sequences.remove(&handle).is_some()
                || machine.state.objects.transient.remove(&handle).is_some()
        }
        _ => return Err(ResponseCode::VALUE.parameter(1)),
    };
    if found { Ok(Reply::EMPTY) } else { Err(ResponseCode::HANDLE.parameter(1)) }
}
