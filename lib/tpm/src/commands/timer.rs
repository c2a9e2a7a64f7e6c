//! Authenticated countdown timers [Part 3 §33].

use crate::call::{Call, Reply};
use crate::machine::Machine;
use crate::response_code::ResponseCode;

/// TPM2_ACT_SetTimeout [Part 3 §33.2].
pub(crate) fn set_timeout(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let (timeout,): (u32,) = call.parameters()?;
    let now_ms = machine.state.time.time;
    let timer =
        machine.state.timers.get_mut(call.handle(0)).ok_or(ResponseCode::VALUE.handle(1))?;
    timer.set(timeout, now_ms).map_err(|error| error.parameter(1))?;
    Ok(Reply::EMPTY)
}
