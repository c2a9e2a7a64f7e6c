//! Command audit [Part 3 §21].

use crate::call::{Call, Reply};
use crate::machine::Machine;
use crate::response_code::ResponseCode;
use crate::table::Command;
use crate::wire::algorithm::Hash;
use crate::wire::containers::List;

/// TPM_CC_SetCommandCodeAuditStatus, which is always audited.
const SELF: u32 = 0x140;
/// MAX_CAP_CC: the longest TPML_CC [Part 2 §10.9].
const MAX_CODES: usize = 254;
/// TPM_CC_Shutdown, which never is.
const SHUTDOWN: u32 = 0x145;

/// TPM2_SetCommandCodeAuditStatus [Part 3 §21.2].
pub(crate) fn set_status(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let (hash, set, clear): (Option<Hash>, List<u32, MAX_CODES>, List<u32, MAX_CODES>) =
        call.parameters()?;
    let audit = &mut machine.state.audit;
    if let Some(hash) = hash.filter(|hash| *hash != audit.hash) {
        if !set.0.is_empty() || !clear.0.is_empty() {
            return Err(ResponseCode::VALUE.parameter(1));
        }
        audit.hash = hash;
        audit.digest.clear();
        return Ok(Reply::EMPTY);
    }
    for code in set.0 {
        if code != SHUTDOWN && Command::find(code).is_some() {
            audit.commands.insert(code);
        }
    }
    // Last, so that a command in both lists is not audited.
    for code in clear.0 {
        if code != SELF {
            audit.commands.remove(&code);
        }
    }
    Ok(Reply::EMPTY)
}
