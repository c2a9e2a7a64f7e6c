//! A command that the two devices answered differently.

use svsm_tpm::message::Response;
use tpm::{ResponseCode, command_name};

/// A command that was answered differently.
pub(super) struct Difference {
    /// All commands up to it, as our device got them.
    pub(super) commands: Vec<Vec<u8>>,
    /// Ours and theirs.
    pub(super) responses: [Vec<u8>; 2],
}

impl Difference {
    /// The response codes, ours and theirs.
    pub(super) fn codes(&self) -> [u32; 2] {
        let code = |response: &Vec<u8>| Response::parse(response).map_or(u32::MAX, |one| one.code);
        [code(&self.responses[0]), code(&self.responses[1])]
    }

    /// The code of the command itself.
    pub(super) fn command_code(&self) -> u32 {
        let code = self.commands.last().and_then(|command| command.get(6..)?.first_chunk());
        code.map_or(0, |code| u32::from_be_bytes(*code))
    }

    /// What differs, in a line.
    pub(super) fn summary(&self) -> String {
        let code = self.command_code();
        let name = command_name(code).map_or_else(|| format!("{code:#x}"), str::to_owned);
        let [ours, theirs] = self.codes();
        if ours == theirs {
            return format!("{name}: {} with other bytes", ResponseCode(ours));
        }
        format!("{name}: ours {}, theirs {}", ResponseCode(ours), ResponseCode(theirs))
    }

    /// What differs, with all that led to it.
    pub(super) fn show(&self) -> String {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let commands: Vec<String> = self.commands.iter().map(|one| hex(one)).collect();
        format!(
            "{}\n  {}\n  ours   {}\n  theirs {}",
            self.summary(),
            commands.join("\n  "),
            hex(&self.responses[0]),
            hex(&self.responses[1])
        )
    }
}
