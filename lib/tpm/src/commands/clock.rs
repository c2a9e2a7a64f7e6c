//! Clocks and timers [Part 3 §29].

use crate::call::{Call, Reply};
use crate::machine::Machine;
use crate::response_code::ResponseCode;
use crate::wire::algorithm::ClockAdjustment;

/// TPM2_ReadClock [Part 3 §29.1].
pub(crate) fn read(machine: &mut Machine<'_, '_>, call: &Call<'_>) -> Result<Reply, ResponseCode> {
    let () = call.parameters()?;
    Ok(Reply::EMPTY.with(&machine.state.time.info()))
}

/// TPM2_ClockSet [Part 3 §29.2]: forwards only, and not into the last range.
pub(crate) fn set(machine: &mut Machine<'_, '_>, call: &Call<'_>) -> Result<Reply, ResponseCode> {
    let (clock,): (u64,) = call.parameters()?;
    if clock < machine.state.time.clock || clock > 0xFFFF_0000_0000_0000 {
        return Err(ResponseCode::VALUE.parameter(1));
    }
    machine.state.time.clock = clock;
    Ok(Reply::EMPTY)
}

/// TPM2_ClockRateAdjust [Part 3 §29.3]: the platform's clock is taken as it
/// is, so a wish for another rate is noted and has no effect.
pub(crate) fn rate_adjust(_: &mut Machine<'_, '_>, call: &Call<'_>) -> Result<Reply, ResponseCode> {
    let (_adjustment,): (ClockAdjustment,) = call.parameters()?;
    Ok(Reply::EMPTY)
}
