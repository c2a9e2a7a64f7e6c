//! Physical presence [Part 3 §26.2].

use crate::call::{Call, Reply};
use crate::machine::Machine;
use crate::response_code::ResponseCode;
use crate::table::{Command, Traits};
use crate::wire::containers::List;

/// TPM2_PP_Commands [Part 3 §26.2]: which commands need presence when the
/// platform authorizes them. It needs presence itself, always.
pub(crate) fn set_commands(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let (set, clear): (List<u32, 256>, List<u32, 256>) = call.parameters()?;
    let can = |code: &u32| {
        Command::find(*code).is_some_and(|command| command.traits.contains(Traits::PRESENCE))
    };
    let commands = &mut machine.state.presence_commands;
    commands.extend(set.0.into_iter().filter(can));
    for code in clear.0.iter().filter(|code| can(code)) {
        commands.remove(code);
    }
    Ok(Reply::EMPTY)
}
