//! Duplication: objects that go from parent to parent [Part 3 §13].

use crate::call::{Call, Reply};
use crate::inner_wrap::InnerWrap;
use crate::machine::Machine;
use crate::object_creation::check_binding;
use crate::object_rules::check_public;
use crate::outer_wrap::OuterWrap;
use crate::protection::wrap;
use crate::response_code::ResponseCode;
use crate::secret_exchange::{Purpose, recover, share};
use crate::wire::bits::ObjectAttributes;
use crate::wire::containers::Sized16;
use crate::wire::handle::NULL;
use crate::wire::public::{Details, Public};
use crate::wire::sensitive::Private;
use crate::wire::structure::{Data, EncryptedSecret, Name};
use crate::wire::symmetric::ObjectCipher;

/// TPM2_Duplicate [Part 3 §13.1].
pub(crate) fn duplicate(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let (key, cipher): (Data, Option<ObjectCipher>) = call.parameters()?;
    let object = machine.object(call.handle(0), 1)?;
    if object.public.attributes.contains(ObjectAttributes::FIXED_PARENT) {
        return Err(ResponseCode::ATTRIBUTES.handle(1));
    }
    let hash = object.public.name_hash.ok_or(ResponseCode::TYPE.handle(1))?;
    let sensitive = object.sensitive.0.clone().ok_or(ResponseCode::TYPE.handle(1))?;
    let name = object.name();
    let encrypted = object.public.attributes.contains(ObjectAttributes::ENCRYPTED_DUPLICATION);
    let new_parent = new_parent(machine, call.handle(1), 2)?;
    if encrypted {
        if cipher.is_none() {
            return Err(ResponseCode::SYMMETRIC.parameter(2));
        }
        if new_parent.is_none() {
            return Err(ResponseCode::HIERARCHY.handle(2));
        }
    }
    let made = match cipher {
        Some(cipher) if key.is_empty() => {
            Data::new(machine.random(usize::from(cipher.key_bits / 8))?)
        }
        _ => Data::EMPTY,
    };
    if cipher.is_none() && !key.is_empty() {
        return Err(ResponseCode::SIZE.parameter(1));
    }
    let inner = InnerWrap::new(cipher, if key.is_empty() { &made } else { &key })
        .map_err(|error| error.parameter(1))?
        .seal(hash, &name, &sensitive)?;
    let (duplicate, seed) = for_parent(machine, new_parent.as_ref(), &name, inner.as_bytes())?;
    Ok(Reply::EMPTY.with(&made).with(&duplicate).with(&seed))
}

/// TPM2_Rewrap [Part 3 §13.2]: another outer wrap around the same inside.
pub(crate) fn rewrap(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let (duplicate, name, seed): (Private, Name, EncryptedSecret) = call.parameters()?;
    let old_parent = call.handle(0);
    if seed.is_empty() != (old_parent == NULL) {
        return Err(ResponseCode::HANDLE.handle(1));
    }
    let inside = match self::new_parent(machine, old_parent, 1)? {
        None => duplicate.to_vec(),
        Some(parent) => {
            let seed =
                recover(machine, old_parent, Purpose::Duplication, &seed).map_err(|error| {
                    match error {
                        ResponseCode::FAILURE => error,
                        _ => ResponseCode::VALUE.parameter(3),
                    }
                })?;
            let outer = OuterWrap::with_seed(&parent, &seed, &name)?;
            outer.open(&duplicate).map_err(|error| error.parameter(1))?.as_bytes().to_vec()
        }
    };
    let new_parent = new_parent(machine, call.handle(1), 2)?;
    let (duplicate, seed) = for_parent(machine, new_parent.as_ref(), &name, &inside)?;
    Ok(Reply::EMPTY.with(&duplicate).with(&seed))
}

/// TPM2_Import [Part 3 §13.3].
pub(crate) fn import(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let (key, Sized16(public), duplicate, seed, cipher): (
        Data,
        Sized16<Public>,
        Private,
        EncryptedSecret,
        Option<ObjectCipher>,
    ) = call.parameters()?;
    let fixed = ObjectAttributes::FIXED_TPM | ObjectAttributes::FIXED_PARENT;
    if public.attributes.intersects(fixed) {
        return Err(ResponseCode::ATTRIBUTES.parameter(2));
    }
    let handle = call.handle(0);
    let parent = machine.object(handle, 1)?.clone();
    if !parent.public.is_storage_parent() {
        return Err(ResponseCode::TYPE.handle(1));
    }
    if cipher.is_none() && !key.is_empty() {
        return Err(ResponseCode::SIZE.parameter(1));
    }
    let inner = InnerWrap::new(cipher, &key).map_err(|error| error.parameter(1))?;
    let twice = public.attributes.contains(ObjectAttributes::ENCRYPTED_DUPLICATION);
    // What is missing is to blame: the inner wrap or the outer one.
    if twice && cipher.is_none() {
        return Err(ResponseCode::ATTRIBUTES.parameter(1));
    }
    if twice && seed.is_empty() {
        return Err(ResponseCode::ATTRIBUTES.parameter(4));
    }
    let hash = public.name_hash.ok_or(ResponseCode::HASH.parameter(2))?;
    let name = public.name();
    let inside = if seed.is_empty() {
        tpm_crypto::secret::Secret::from(&duplicate[..])
    } else {
        if matches!(parent.public.details, Details::Cipher { .. }) {
            return Err(ResponseCode::TYPE.handle(1));
        }
        let seed = recover(machine, handle, Purpose::Duplication, &seed)
            .map_err(|error| error.parameter(4))?;
        let outer = OuterWrap::with_seed(&parent.public, &seed, &name)?;
        outer.open(&duplicate).map_err(|error| error.parameter(3))?
    };
    let sensitive = inner.open(hash, &name, inside).map_err(|error| error.parameter(3))?;
    // Under a parent that can leave the device it is checked when it is loaded.
    if parent.public.attributes.contains(ObjectAttributes::FIXED_TPM) {
        check_public(&public, Some(&parent)).map_err(|error| error.parameter(2))?;
        check_binding(machine.platform.provider, &public, &sensitive, 3)?;
    }
    let vector = machine.random_block()?;
    Ok(Reply::EMPTY.with(&wrap(&parent, &name, &sensitive.trimmed(), vector)?))
}

/// The public area of a parent, if the handle names one: an asymmetric storage
/// key.
fn new_parent(
    machine: &Machine<'_, '_>,
    handle: u32,
    number: u32,
) -> Result<Option<Public>, ResponseCode> {
    if handle == NULL {
        return Ok(None);
    }
    let public = &machine.object(handle, number)?.public;
    if !public.is_storage_parent() || matches!(public.details, Details::Cipher { .. }) {
        return Err(ResponseCode::TYPE.handle(number));
    }
    Ok(Some(public.clone()))
}

/// Puts the outer wrap for the new parent around `inside`, and tells it how to
/// open that.
fn for_parent(
    machine: &mut Machine<'_, '_>,
    parent: Option<&Public>,
    name: &Name,
    inside: &[u8],
) -> Result<(Private, EncryptedSecret), ResponseCode> {
    let Some(parent) = parent else {
        return Ok((Private::new(inside), EncryptedSecret::EMPTY));
    };
    let (seed, told) =
        share(machine, parent, Purpose::Duplication).map_err(|error| error.handle(2))?;
    let outer = OuterWrap::with_seed(parent, &seed, name)?;
    // What an inner wrap of the largest object leaves room for; `Rewrap` may be
    // given more.
    let sealed = outer.seal([0; 16], inside.to_vec())?;
    if sealed.len() > crate::wire::sensitive::MAX_PRIVATE {
        return Err(ResponseCode::SIZE.parameter(1));
    }
    Ok((Private::new(sealed), told))
}
