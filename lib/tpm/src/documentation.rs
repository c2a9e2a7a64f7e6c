//! The command table as a page of the book.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::table::{COMMANDS, Command, HandleRow, Role, Traits};

/// What stands before the table.
const PREFACE: &str = "# Commands of the TPM device

Every command that the device knows, from the table in `lib/tpm/src/table.rs` that also drives its checks and the answer to `TPM2_GetCapability`. This page is made by `cargo run -p tpm --example command_table`; a test compares it with the table.

A handle has a kind and, where it has to be authorized, a role. Marks: **d** and **e**, a session can encrypt the first parameter of the command or of the response; **n**, what is persistent may change; **x**, any number of objects may be flushed; **f**, the handle is flushed; **h**, the response has a handle; **s**, no sessions; **p**, `TPM2_PP_Commands` can make it need physical presence.

Mandatory are commands that TCG's PC Client Platform TPM Profile, version 1.05, asks for. That column is *from memory* of its table.

Tests are files in `lib/tpm/src/tests`, which note themselves what they send: each command is accepted by one of them and refused by one. Besides, most commands are sent by tpm2-tools, [compared with libtpms](deviations.md#compared-with-libtpms), and changed at random by property tests and fuzzers.

";

/// What the tests send: code, answer, and modules, a line each.
const TESTED_BY: &str = include_str!("tests/tested_by.txt");

/// Commands that the PC Client Platform TPM Profile leaves to each device
/// [PC Client PTP 1.05, table of commands, *from memory*].
const OPTIONAL: [&str; 21] = [
    "ACT_SetTimeout",
    "CertifyX509",
    "ChangeEPS",
    "ChangePPS",
    "Commit",
    "CreateLoaded",
    "EC_Ephemeral",
    "EncryptDecrypt",
    "EncryptDecrypt2",
    "GetCommandAuditDigest",
    "NV_GlobalWriteLock",
    "PCR_SetAuthPolicy",
    "PCR_SetAuthValue",
    "PP_Commands",
    "PolicyPhysicalPresence",
    "PolicyTemplate",
    "Policy_AC_SendSelect",
    "Rewrap",
    "SetAlgorithmSet",
    "SetCommandCodeAuditStatus",
    "ZGen_2Phase",
];

/// The page `docs/src/tpm/commands.md`: a table of all commands, in Markdown.
#[must_use]
pub fn command_table() -> String {
    let mut page = String::from(PREFACE);
    page.push_str(
        "| command | code | handles | marks | mandatory | source | tested by |\n\
         |---|---|---|---|---|---|---|\n",
    );
    for command in COMMANDS {
        page.push_str(&format!(
            "| {} | `{:03X}` | {} | {} | {} | `{}` | {} |\n",
            command.name,
            command.code,
            handles(command),
            marks(command.traits),
            if OPTIONAL.contains(&command.name) { "" } else { "yes" },
            command.source,
            tests(command.code),
        ));
    }
    page.push_str(&format!("\n{} commands.\n", COMMANDS.len()));
    page
}

fn handles(command: &Command) -> String {
    let handles: Vec<String> = command.handles.iter().map(handle).collect();
    handles.join(", ")
}

fn handle(row: &HandleRow) -> String {
    match row.role {
        Role::None => format!("{:?}", row.kind),
        role => format!("{:?} ({role:?})", row.kind),
    }
}

fn marks(traits: Traits) -> String {
    let known = [
        (Traits::DECRYPT, 'd'),
        (Traits::ENCRYPT, 'e'),
        (Traits::NV, 'n'),
        (Traits::EXTENSIVE, 'x'),
        (Traits::FLUSHED, 'f'),
        (Traits::HANDLE, 'h'),
        (Traits::NO_SESSIONS, 's'),
        (Traits::PRESENCE, 'p'),
    ];
    known.into_iter().filter(|(flag, _)| traits.contains(*flag)).map(|(_, mark)| mark).collect()
}

/// Modules of tests that send the command with this code.
fn tests(code: u32) -> String {
    let code = format!("{code:03X} ");
    let lines = TESTED_BY.lines().filter(|line| line.starts_with(&code));
    let modules = lines.filter_map(|line| line.split_once(": ")).map(|(_, modules)| modules);
    let modules: BTreeSet<&str> = modules.flat_map(|modules| modules.split(' ')).collect();
    modules.into_iter().collect::<Vec<&str>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::{COMMANDS, OPTIONAL};

    #[test]
    fn what_is_optional_is_there() {
        let known = |name: &&str| COMMANDS.iter().any(|command| command.name == *name);
        assert!(OPTIONAL.iter().all(known));
        assert!(OPTIONAL.is_sorted());
    }

    /// `cargo run -p tpm --example command_table > docs/src/tpm/commands.md`
    /// makes it so.
    #[test]
    fn the_page_in_the_book_is_this_table() {
        let page = include_str!("../../../docs/src/tpm/commands.md");
        assert!(page == super::command_table(), "the page is not the table's: make it again");
    }
}
