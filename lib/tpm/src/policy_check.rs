//! Whether a policy session allows what is asked [Part 1 §19.7].

use alloc::vec::Vec;

use tpm_crypto::secret::equal;

use crate::machine::Machine;
use crate::platform::PhysicalPresence;
use crate::request::Request;
use crate::response_code::ResponseCode;
use crate::state::session::{BoundTo, ValueNeeded};
use crate::table::Role;
use crate::wire::algorithm::Hash;
use crate::wire::bits::NvAttributes;
use crate::wire::codec::{Reader, Wire};

/// TPM_CC_CreatePrimary, TPM_CC_Create, TPM_CC_CreateLoaded.
const CREATING: [u32; 3] = [0x131, 0x153, 0x191];
/// TPM_CC_PolicySecret.
const POLICY_SECRET: u32 = 0x151;

/// Checks the policy session `handle` for use with `entity`.
///
/// # Errors
///
/// What the session's policy is at odds with.
pub(crate) fn check_policy(
    machine: &Machine<'_, '_>,
    request: &Request<'_>,
    handle: u32,
    entity: u32,
    role: Role,
) -> Result<(), ResponseCode> {
    let session = machine.state.sessions.get(handle).ok_or(ResponseCode::HANDLE)?;
    let policy = &session.policy;
    if request.command.code == POLICY_SECRET && policy.value == ValueNeeded::Nothing {
        return Err(ResponseCode::MODE);
    }
    if policy.pcr_counter.is_some_and(|counter| counter != machine.state.pcrs.counter) {
        return Err(ResponseCode::PCR_CHANGED);
    }
    let (hash, digest) = machine.policy(entity).ok_or(ResponseCode::POLICY_FAIL)?;
    if !equal(&policy.digest, &digest) || hash != session.hash {
        return Err(ResponseCode::POLICY_FAIL);
    }
    let time = &machine.state.time;
    if policy.expires_ms.is_some_and(|expires| expires < time.time || session.epoch != time.epoch())
    {
        return Err(ResponseCode::EXPIRED);
    }
    match policy.command {
        Some(code) if code != request.command.code => return Err(ResponseCode::POLICY_CC),
        None if matches!(role, Role::Admin | Role::Duplicate) => {
            return Err(ResponseCode::POLICY_FAIL);
        }
        _ => {}
    }
    check_locality(policy.locality, request.locality)?;
    if policy.presence_needed && machine.platform.presence == PhysicalPresence::Absent {
        return Err(ResponseCode::PP);
    }
    let matches = match &policy.bound_to {
        None => true,
        Some(BoundTo::Parameters(expected)) => equal(expected, &request.hash(hash)),
        Some(BoundTo::Names(expected)) => equal(expected, &request.name_hash(hash)),
        Some(BoundTo::Template(expected)) => {
            template_hash(request, hash).is_some_and(|found| equal(expected, &found))
        }
    };
    if !matches {
        return Err(ResponseCode::POLICY_FAIL);
    }
    if let Some(expected) = policy.nv_written {
        let index = machine.state.nv.get(entity).ok_or(ResponseCode::POLICY_FAIL)?;
        if index.public.attributes.contains(NvAttributes::WRITTEN) != expected {
            return Err(ResponseCode::POLICY_FAIL);
        }
    }
    Ok(())
}

/// Localities 0–4 are bits, those from 32 on the value itself [Part 2 §8.5].
fn check_locality(allowed: u8, locality: u8) -> Result<(), ResponseCode> {
    let matches = match (allowed, locality) {
        (0, _) => true,
        (1..=31, 0..=4) => allowed & (1 << locality) != 0,
        (32.., 32..) => allowed == locality,
        _ => false,
    };
    if matches { Ok(()) } else { Err(ResponseCode::LOCALITY) }
}

/// The digest of the template in a command that creates from one: the second
/// parameter, behind a buffer. Other commands have none.
fn template_hash(request: &Request<'_>, hash: Hash) -> Option<Vec<u8>> {
    if !CREATING.contains(&request.command.code) {
        return None;
    }
    let mut reader = Reader::new(request.parameters);
    for number in 1.. {
        let size = usize::from(u16::read(&mut reader).ok()?);
        let content = reader.bytes(size).ok()?;
        if number == 2 {
            return Some(hash.algorithm().digest(&[content]).as_bytes().to_vec());
        }
    }
    None
}
