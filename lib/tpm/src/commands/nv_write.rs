//! Writing NV indices [Part 3 §31.7–31.10].

use alloc::vec::Vec;

use crate::call::{Call, Reply};
use crate::machine::Machine;
use crate::nv_access::check_write;
use crate::response_code::ResponseCode;
use crate::state::nv::NvIndex;
use crate::wire::bits::NvAttributes;
use crate::wire::nv::NvType;
use crate::wire::structure::NvBuffer;

/// TPM2_NV_Write [Part 3 §31.7].
pub(crate) fn write(machine: &mut Machine<'_, '_>, call: &Call<'_>) -> Result<Reply, ResponseCode> {
    let (data, offset): (NvBuffer, u16) = call.parameters()?;
    let index = writable(machine, call)?;
    let special = [NvType::Counter, NvType::Bits, NvType::Extend].map(Some);
    if special.contains(&index.public.nv_type()) {
        return Err(ResponseCode::ATTRIBUTES);
    }
    if offset > index.public.size {
        return Err(ResponseCode::VALUE.parameter(2));
    }
    let start = usize::from(offset);
    let mut content = contents(index);
    let whole = data.len() == content.len();
    if index.public.attributes.contains(NvAttributes::WRITEALL) && !whole {
        return Err(ResponseCode::NV_RANGE);
    }
    content
        .get_mut(start..start + data.len())
        .ok_or(ResponseCode::NV_RANGE)?
        .copy_from_slice(&data);
    store(machine, call, content)
}

/// TPM2_NV_Increment [Part 3 §31.8]. The first value is above that of every
/// counter that ever was.
pub(crate) fn increment(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let () = call.parameters()?;
    let index = typed(machine, call, NvType::Counter)?;
    let value = if index.public.attributes.contains(NvAttributes::WRITTEN) {
        index.number().wrapping_add(1)
    } else {
        machine.state.nv.next_counter()
    };
    store(machine, call, value.to_be_bytes().to_vec())
}

/// TPM2_NV_SetBits [Part 3 §31.10].
pub(crate) fn set_bits(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let (bits,): (u64,) = call.parameters()?;
    let index = typed(machine, call, NvType::Bits)?;
    let before =
        if index.public.attributes.contains(NvAttributes::WRITTEN) { index.number() } else { 0 };
    store(machine, call, (before | bits).to_be_bytes().to_vec())
}

/// TPM2_NV_Extend [Part 3 §31.9].
pub(crate) fn extend(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let (data,): (NvBuffer,) = call.parameters()?;
    let index = typed(machine, call, NvType::Extend)?;
    let before = contents(index);
    let digest = index.public.name_hash.algorithm().digest(&[&before, &data]);
    store(machine, call, digest.as_bytes().to_vec())
}

/// The index, if it can be written now by whoever authorized.
fn writable<'a>(
    machine: &'a Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<&'a NvIndex, ResponseCode> {
    let index = machine.state.nv.get(call.handle(1)).ok_or(ResponseCode::HANDLE.handle(2))?;
    check_write(index, call.handle(0))?;
    Ok(index)
}

fn typed<'a>(
    machine: &'a Machine<'_, '_>,
    call: &Call<'_>,
    wanted: NvType,
) -> Result<&'a NvIndex, ResponseCode> {
    let index = writable(machine, call)?;
    if index.public.nv_type() == Some(wanted) {
        Ok(index)
    } else {
        Err(ResponseCode::ATTRIBUTES.handle(2))
    }
}

/// The data. Before the first write it is erased: ones for what is written in
/// parts, zeros for what is extended.
fn contents(index: &NvIndex) -> Vec<u8> {
    if index.public.attributes.contains(NvAttributes::WRITTEN) {
        index.data.to_vec()
    } else {
        let erased = if index.public.nv_type() == Some(NvType::Extend) { 0 } else { 0xFF };
        alloc::vec![erased; index.data.len()]
    }
}

fn store(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
    data: Vec<u8>,
) -> Result<Reply, ResponseCode> {
    machine.state.nv.get_mut(call.handle(1)).ok_or(ResponseCode::HANDLE.handle(2))?.set(data);
    Ok(Reply::EMPTY)
}
