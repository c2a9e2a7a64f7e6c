//! Objects that exist [Part 3 §12.4, §12.7, §12.8, §28.5].

use tpm_crypto::random::RandomStream;

use crate::call::{Call, Reply};
use crate::machine::Machine;
use crate::protection::wrap;
use crate::response_code::ResponseCode;
use crate::state::object::{MAX_PERSISTENT, Provenance, qualified_name};
use crate::wire::bits::ObjectAttributes;
use crate::wire::containers::Sized16;
use crate::wire::handle::{HandleType, NULL, PLATFORM};
use crate::wire::public::Details;
use crate::wire::structure::Digest;

/// The first persistent handle of the platform's range; the owner's lies below
/// [Part 2 §7.3].
const PLATFORM_PERSISTENT: u32 = 0x8180_0000;

/// TPM2_ReadPublic [Part 3 §12.4].
pub(crate) fn read_public(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let () = call.parameters()?;
    let object = machine.state.objects.get(call.handle(0)).ok_or(ResponseCode::SEQUENCE)?;
    Ok(Reply::EMPTY
        .with(&Sized16(object.public.clone()))
        .with(&object.name())
        .with(&object.qualified_name))
}

/// TPM2_Unseal [Part 3 §12.7].
pub(crate) fn unseal(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let () = call.parameters()?;
    let object = machine.object(call.handle(0), 1)?;
    let Details::KeyedHash { .. } = &object.public.details else {
        return Err(ResponseCode::TYPE.handle(1));
    };
    let uses = ObjectAttributes::DECRYPT | ObjectAttributes::SIGN | ObjectAttributes::RESTRICTED;
    if object.public.attributes.intersects(uses) {
        return Err(ResponseCode::ATTRIBUTES.handle(1));
    }
    let sensitive = object.sensitive.0.as_ref().ok_or(ResponseCode::TYPE.handle(1))?;
    Ok(Reply::EMPTY.with(&sensitive.secret))
}

/// TPM2_ObjectChangeAuth [Part 3 §12.8]: the loaded object stays as it is, the
/// new private area has the new value.
pub(crate) fn change_auth(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let (auth,): (Digest,) = call.parameters()?;
    let auth = auth.without_trailing_zeros();
    let object = machine.object(call.handle(0), 1)?;
    let longest = object.public.name_hash.map_or(0, crate::wire::algorithm::Hash::size);
    if auth.len() > longest {
        return Err(ResponseCode::SIZE.parameter(1));
    }
    let parent = machine.object(call.handle(1), 2)?;
    let expected = qualified_name(&parent.qualified_name, &object.public);
    if expected != object.qualified_name || !parent.public.is_storage_parent() {
        return Err(ResponseCode::TYPE.handle(2));
    }
    let mut sensitive = object.sensitive.0.clone().ok_or(ResponseCode::TYPE.handle(1))?;
    sensitive.auth = auth;
    let mut vector = [0; 16];
    machine.state.random.fill(&mut vector).map_err(|_| ResponseCode::FAILURE)?;
    let object = machine.object(call.handle(0), 1)?;
    let parent = machine.object(call.handle(1), 2)?;
    let private = wrap(parent, &object.name(), &sensitive, vector)?;
    Ok(Reply::EMPTY.with(&private))
}

/// TPM2_EvictControl [Part 3 §28.5].
pub(crate) fn evict_control(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let (persistent,): (u32,) = call.parameters()?;
    if HandleType::of(persistent) != Some(HandleType::Persistent) {
        return Err(ResponseCode::VALUE.parameter(1));
    }
    let (by, handle) = (call.handle(0), call.handle(1));
    let object = machine.object(handle, 2)?;
    let stays = HandleType::of(handle) == Some(HandleType::Persistent);
    if object.provenance != Provenance::Device
        || object.sensitive.0.is_none()
        || object.hierarchy == NULL
        || object.public.attributes.contains(ObjectAttributes::ST_CLEAR)
    {
        return Err(ResponseCode::ATTRIBUTES.handle(2));
    }
    if stays && handle != persistent {
        return Err(ResponseCode::HANDLE.handle(2));
    }
    let of_platform = object.hierarchy == PLATFORM;
    let in_range = (persistent >= PLATFORM_PERSISTENT) == of_platform;
    // The platform can remove what the owner made persistent.
    if of_platform != (by == PLATFORM) && !(by == PLATFORM && stays) {
        return Err(ResponseCode::HIERARCHY.handle(2));
    }
    if !stays && !in_range {
        return Err(ResponseCode::RANGE.parameter(1));
    }
    if stays {
        machine.state.objects.evict(persistent);
        return Ok(Reply::EMPTY);
    }
    let object = object.clone();
    let objects = &mut machine.state.objects;
    if objects.get(persistent).is_some() {
        return Err(ResponseCode::NV_DEFINED);
    }
    if objects.persistent().len() >= MAX_PERSISTENT {
        return Err(ResponseCode::NV_SPACE);
    }
    objects.keep(persistent, object);
    Ok(Reply::EMPTY)
}
