//! Prints the page of the book with all commands: redirect it to
//! `docs/src/tpm/commands.md`.

fn main() {
    print!("{}", tpm::command_table());
}
