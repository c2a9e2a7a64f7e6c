//! Random numbers [Part 3 §16].

use crate::call::{Call, Reply};
use crate::machine::Machine;
use crate::response_code::ResponseCode;
use crate::wire::containers::Buffer;
use crate::wire::structure::Digest;

/// TPM2_GetRandom [Part 3 §16.1]: at most as many bytes as the largest digest.
pub(crate) fn get(machine: &mut Machine<'_, '_>, call: &Call<'_>) -> Result<Reply, ResponseCode> {
    let (count,): (u16,) = call.parameters()?;
    let bytes = machine.random(usize::from(count).min(64))?;
    Ok(Reply::EMPTY.with(&Digest::new(bytes)))
}

/// TPM2_StirRandom [Part 3 §16.2].
pub(crate) fn stir(machine: &mut Machine<'_, '_>, call: &Call<'_>) -> Result<Reply, ResponseCode> {
    let (data,): (Buffer<128>,) = call.parameters()?;
    let now = machine.random(32)?;
    machine.state.random.reseed(&[&now, &data]);
    Ok(Reply::EMPTY)
}
