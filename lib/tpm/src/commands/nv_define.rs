//! Making and removing NV indices [Part 3 §31.3–31.5, §31.15].

use alloc::vec;

use crate::call::{Call, Reply};
use crate::machine::Machine;
use crate::response_code::ResponseCode;
use crate::state::nv::NvIndex;
use crate::wire::bits::NvAttributes;
use crate::wire::containers::{Buffer, Sized16};
use crate::wire::handle::PLATFORM;
use crate::wire::nv::{NvPublic, NvType};
use crate::wire::structure::{Digest, MAX_NV_BUFFER};

/// TPM2_NV_DefineSpace [Part 3 §31.3].
pub(crate) fn define_space(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let (auth, Sized16(public)): (Digest, Sized16<NvPublic>) = call.parameters()?;
    let auth = auth.without_trailing_zeros();
    if !public.policy.is_empty() && public.policy.len() != public.name_hash.size() {
        return Err(ResponseCode::SIZE.parameter(2));
    }
    if auth.len() > public.name_hash.size() {
        return Err(ResponseCode::SIZE.parameter(1));
    }
    let by_platform = call.handle(0) == PLATFORM;
    if by_platform && !machine.state.hierarchies.volatile.platform_nv_enabled {
        return Err(ResponseCode::HIERARCHY.handle(1));
    }
    check_public(&public).map_err(|error| error.parameter(2))?;
    if public.attributes.contains(NvAttributes::PLATFORMCREATE) != by_platform {
        return Err(ResponseCode::ATTRIBUTES.handle(1));
    }
    if !by_platform && public.attributes.contains(NvAttributes::POLICY_DELETE) {
        return Err(ResponseCode::ATTRIBUTES.parameter(2));
    }
    // It could never be written.
    if public.attributes.contains(NvAttributes::WRITEALL) && public.size > MAX_NV_BUFFER {
        return Err(ResponseCode::SIZE.parameter(2));
    }
    let data = Buffer::new(vec![0; usize::from(public.size)]);
    machine.state.nv.define(NvIndex { public, auth, data })?;
    Ok(Reply::EMPTY)
}

/// What a public area must be for an index to be made of it.
fn check_public(public: &NvPublic) -> Result<(), ResponseCode> {
    let attributes = public.attributes;
    let nv_type = public.nv_type().ok_or(ResponseCode::ATTRIBUTES)?;
    let size = match nv_type {
        NvType::Ordinary => None,
        NvType::Extend => Some(public.name_hash.size()),
        NvType::Counter | NvType::Bits | NvType::PinFail | NvType::PinPass => Some(8),
    };
    if size.is_some_and(|size| size != usize::from(public.size)) {
        return Err(ResponseCode::SIZE);
    }
    let state = NvAttributes::WRITTEN | NvAttributes::READLOCKED | NvAttributes::WRITELOCKED;
    let readers = NvAttributes::PPREAD
        | NvAttributes::OWNERREAD
        | NvAttributes::AUTHREAD
        | NvAttributes::POLICYREAD;
    let writers = NvAttributes::PPWRITE
        | NvAttributes::OWNERWRITE
        | NvAttributes::AUTHWRITE
        | NvAttributes::POLICYWRITE;
    // Locked for good and cleared at each start exclude each other.
    let fleeting = NvAttributes::CLEAR_STCLEAR | NvAttributes::WRITEDEFINE;
    let pin = matches!(nv_type, NvType::PinFail | NvType::PinPass);
    let not_for_pin =
        NvAttributes::AUTHWRITE | NvAttributes::GLOBALLOCK | NvAttributes::WRITEDEFINE;
    if attributes.intersects(state)
        || !attributes.intersects(readers)
        || !attributes.intersects(writers)
        || (pin && attributes.intersects(not_for_pin))
        || (nv_type == NvType::PinFail && !attributes.contains(NvAttributes::NO_DA))
        || attributes.contains(fleeting)
        || (nv_type == NvType::Counter && attributes.contains(NvAttributes::CLEAR_STCLEAR))
    {
        return Err(ResponseCode::ATTRIBUTES);
    }
    Ok(())
}

/// TPM2_NV_UndefineSpace [Part 3 §31.4].
pub(crate) fn undefine_space(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let () = call.parameters()?;
    let attributes = attributes(machine, call.handle(1))?;
    if attributes.contains(NvAttributes::POLICY_DELETE) {
        return Err(ResponseCode::ATTRIBUTES.handle(2));
    }
    if attributes.contains(NvAttributes::PLATFORMCREATE) && call.handle(0) != PLATFORM {
        return Err(ResponseCode::NV_AUTHORIZATION);
    }
    machine.state.nv.undefine(call.handle(1));
    Ok(Reply::EMPTY)
}

/// TPM2_NV_UndefineSpaceSpecial [Part 3 §31.5].
pub(crate) fn undefine_space_special(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let () = call.parameters()?;
    if !attributes(machine, call.handle(0))?.contains(NvAttributes::POLICY_DELETE) {
        return Err(ResponseCode::ATTRIBUTES.handle(1));
    }
    machine.state.nv.undefine(call.handle(0));
    Ok(Reply::EMPTY)
}

/// TPM2_NV_ChangeAuth [Part 3 §31.15].
pub(crate) fn change_auth(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let (auth,): (Digest,) = call.parameters()?;
    let auth = auth.without_trailing_zeros();
    let index = machine.state.nv.get_mut(call.handle(0)).ok_or(ResponseCode::HANDLE.handle(1))?;
    if auth.len() > index.public.name_hash.size() {
        return Err(ResponseCode::SIZE.parameter(1));
    }
    index.auth = auth;
    Ok(Reply::EMPTY)
}

fn attributes(machine: &Machine<'_, '_>, handle: u32) -> Result<NvAttributes, ResponseCode> {
    let index = machine.state.nv.get(handle).ok_or(ResponseCode::HANDLE)?;
    Ok(index.public.attributes)
}
