//! Locking NV indices [Part 3 §31.11, §31.12, §31.14].

use crate::call::{Call, Reply};
use crate::machine::Machine;
use crate::nv_access::{check_read, check_write};
use crate::response_code::ResponseCode;
use crate::wire::bits::NvAttributes;

/// TPM2_NV_WriteLock [Part 3 §31.11]; locking twice is no error.
pub(crate) fn write_lock(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let () = call.parameters()?;
    let index = machine.state.nv.get_mut(call.handle(1)).ok_or(ResponseCode::HANDLE.handle(2))?;
    match check_write(index, call.handle(0)) {
        Err(ResponseCode::NV_LOCKED) => return Ok(Reply::EMPTY),
        other => other?,
    }
    if !index.public.attributes.intersects(NvAttributes::WRITEDEFINE | NvAttributes::WRITE_STCLEAR)
    {
        return Err(ResponseCode::ATTRIBUTES.handle(2));
    }
    index.public.attributes.insert(NvAttributes::WRITELOCKED);
    Ok(Reply::EMPTY)
}

/// TPM2_NV_GlobalWriteLock [Part 3 §31.12].
pub(crate) fn global_write_lock(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let () = call.parameters()?;
    machine.state.nv.for_each(|index| {
        if index.public.attributes.contains(NvAttributes::GLOBALLOCK) {
            index.public.attributes.insert(NvAttributes::WRITELOCKED);
        }
    });
    Ok(Reply::EMPTY)
}

/// TPM2_NV_ReadLock [Part 3 §31.14]; an index need not be written for it.
pub(crate) fn read_lock(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let () = call.parameters()?;
    let index = machine.state.nv.get_mut(call.handle(1)).ok_or(ResponseCode::HANDLE.handle(2))?;
    match check_read(index, call.handle(0)) {
        Err(ResponseCode::NV_LOCKED) => return Ok(Reply::EMPTY),
        Err(ResponseCode::NV_UNINITIALIZED) => {}
        other => other?,
    }
    if !index.public.attributes.contains(NvAttributes::READ_STCLEAR) {
        return Err(ResponseCode::ATTRIBUTES.handle(2));
    }
    index.public.attributes.insert(NvAttributes::READLOCKED);
    Ok(Reply::EMPTY)
}
