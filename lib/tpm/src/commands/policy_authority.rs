//! Policies by someone's authorization: shown as a secret, or signed
//! [Part 3 §23.3, §23.4].

use crate::call::{Call, Reply};
use crate::machine::Machine;
use crate::policy_limits::{Limits, no_ticket};
use crate::response_code::ResponseCode;
use crate::signing::{Signature, verify};
use crate::wire::algorithm::SessionType;
use crate::wire::bits::NvAttributes;
use crate::wire::handle::{ENDORSEMENT, HandleType, NULL, OWNER, PLATFORM};
use crate::wire::nv::NvType;
use crate::wire::structure::Digest;
use crate::wire::ticket::{AUTH_SECRET, AUTH_SIGNED};

/// TPM_CC_PolicySecret.
pub(crate) const POLICY_SECRET: u32 = 0x151;
/// TPM_CC_PolicySigned.
pub(crate) const POLICY_SIGNED: u32 = 0x160;

/// TPM2_PolicySecret [Part 3 §23.4].
pub(crate) fn secret(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let (nonce, command_hash, reference, expiration): (Digest, Digest, Digest, i32) =
        call.parameters()?;
    let limits = Limits { nonce, command_hash, reference, expiration };
    let (entity, handle) = (call.handle(0), call.handle(1));
    if machine.session(handle).kind != SessionType::Trial {
        limits.check(machine, handle)?;
    }
    let name = machine.name(entity);
    limits.apply(machine, handle, POLICY_SECRET, &name);
    let index = machine.state.nv.get(entity);
    // A ticket would do again what a PIN allows a number of times.
    if index.is_some_and(|index| index.public.nv_type() == Some(NvType::PinPass)) {
        return Ok(no_ticket(AUTH_SECRET));
    }
    let hierarchy = hierarchy_of(machine, entity);
    Ok(limits.answer(machine, handle, AUTH_SECRET, hierarchy, &name))
}

/// TPM2_PolicySigned [Part 3 §23.3].
pub(crate) fn signed(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let (nonce, command_hash, reference, expiration, signature): (
        Digest,
        Digest,
        Digest,
        i32,
        Signature,
    ) = call.parameters()?;
    let limits = Limits { nonce, command_hash, reference, expiration };
    let (key, handle) = (call.handle(0), call.handle(1));
    if machine.session(handle).kind != SessionType::Trial {
        machine.object(key, 1)?;
        limits.check(machine, handle)?;
        let digest = signature.hash.algorithm().digest(&[
            &limits.nonce,
            &limits.expiration.to_be_bytes(),
            &limits.command_hash,
            &limits.reference,
        ]);
        verify(machine, machine.object(key, 1)?, digest.as_bytes(), &signature)
            .map_err(|error| error.parameter(5))?;
    }
    let name = machine.name(key);
    limits.apply(machine, handle, POLICY_SIGNED, &name);
    let hierarchy = hierarchy_of(machine, key);
    Ok(limits.answer(machine, handle, AUTH_SIGNED, hierarchy, &name))
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
        Some(HandleType::Transient | HandleType::Persistent) => {
            machine.state.objects.get(entity).map_or(NULL, |object| object.hierarchy)
        }
        _ => OWNER,
    }
}
