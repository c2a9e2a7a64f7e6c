//! The command table as a page of the book.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::table::{COMMANDS, Command, HandleRow, Role, Traits};

/// What stands before the table.
const PREFACE: &str = "# Commands of the TPM device

Every command that the device knows, from the table in `lib/tpm/src/table.rs` that also drives its checks and the answer to `TPM2_GetCapability`. This page is made by `cargo run -p tpm --example command_table`; a test compares it with the table.

A handle has a kind and, where it has to be authorized, a role. Marks: **d** and **e**, a session can encrypt the first parameter of the command or of the response; **n**, what is persistent may change; **x**, any number of objects may be flushed; **f**, the handle is flushed; **h**, the response has a handle; **s**, no sessions; **p**, `TPM2_PP_Commands` can make it need physical presence.

";

/// The page `docs/src/tpm/commands.md`: a table of all commands, in Markdown.
#[must_use]
pub fn command_table() -> String {
    let mut page = String::from(PREFACE);
    page.push_str("| command | code | handles | marks | source |\n|---|---|---|---|---|\n");
    for command in COMMANDS {
        page.push_str(&format!(
            "| {} | `{:03X}` | {} | {} | `{}` |\n",
            command.name,
            command.code,
            handles(command),
            marks(command.traits),
            command.source,
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

#[cfg(test)]
mod tests {
    /// `cargo run -p tpm --example command_table > docs/src/tpm/commands.md`
    /// makes it so.
    #[test]
    fn the_page_in_the_book_is_this_table() {
        let page = include_str!("../../../docs/src/tpm/commands.md");
        assert!(page == super::command_table(), "the page is not the table's: make it again");
    }
}
