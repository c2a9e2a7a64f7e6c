//! Dictionary attack [Part 3 §25].

use crate::call::{Call, Reply};
use crate::machine::Machine;
use crate::response_code::ResponseCode;

/// TPM2_DictionaryAttackLockReset [Part 3 §25.2].
pub(crate) fn reset(machine: &mut Machine<'_, '_>, call: &Call<'_>) -> Result<Reply, ResponseCode> {
    let () = call.parameters()?;
    machine.state.guard.stored.failed_tries = 0;
    Ok(Reply::EMPTY)
}

/// TPM2_DictionaryAttackParameters [Part 3 §25.3].
pub(crate) fn parameters(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let (max_tries, recovery_time, lockout_recovery): (u32, u32, u32) = call.parameters()?;
    let guard = &mut machine.state.guard;
    guard.stored.max_tries = max_tries;
    guard.stored.recovery_time = recovery_time;
    guard.stored.lockout_recovery = lockout_recovery;
    if recovery_time == 0 {
        guard.stored.failed_tries = 0;
    }
    guard.healed_ms = machine.state.time.time;
    Ok(Reply::EMPTY)
}
