//! Reading NV indices [Part 3 §31.6, §31.13].

use crate::call::{Call, Reply};
use crate::machine::Machine;
use crate::nv_access::check_read;
use crate::response_code::ResponseCode;
use crate::wire::containers::Sized16;
use crate::wire::structure::{MAX_NV_BUFFER, NvBuffer};

/// TPM2_NV_ReadPublic [Part 3 §31.6].
pub(crate) fn read_public(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let () = call.parameters()?;
    let index = machine.state.nv.get(call.handle(0)).ok_or(ResponseCode::HANDLE.handle(1))?;
    Ok(Reply::EMPTY.with(&Sized16(index.public.clone())).with(&index.public.name()))
}

/// TPM2_NV_Read [Part 3 §31.13].
pub(crate) fn read(machine: &mut Machine<'_, '_>, call: &Call<'_>) -> Result<Reply, ResponseCode> {
    let (size, offset): (u16, u16) = call.parameters()?;
    let index = machine.state.nv.get(call.handle(1)).ok_or(ResponseCode::HANDLE.handle(2))?;
    check_read(index, call.handle(0))?;
    if size > MAX_NV_BUFFER {
        return Err(ResponseCode::VALUE.parameter(1));
    }
    if offset > index.public.size {
        return Err(ResponseCode::VALUE.parameter(2));
    }
    let start = usize::from(offset);
    let data = index.data.get(start..start + usize::from(size)).ok_or(ResponseCode::NV_RANGE)?;
    Ok(Reply::EMPTY.with(&NvBuffer::new(data)))
}
