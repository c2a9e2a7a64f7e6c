//! `svsm image`: looks at IGVM files, ours and others'.

mod diff;
mod hexadecimal;
mod inspect;
mod loader;
mod measure;
mod read;
mod sign;

use anyhow::Result;

use crate::failure::Verdict;
use crate::terminal::Terminal;

/// What to do with an IGVM file.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Arguments {
    /// Tell what is in an IGVM file
    Inspect(inspect::Arguments),
    /// Compute the SEV-SNP launch digest of an IGVM file
    Measure(measure::Arguments),
    /// Tell what differs between two IGVM files
    Diff(diff::Arguments),
    /// Put an ID block with signatures into an IGVM file
    Sign(sign::Arguments),
}

/// Runs the command.
///
/// # Errors
///
/// A file cannot be read, is malformed or cannot be written; the message names
/// it.
pub(crate) fn run(arguments: &Arguments, terminal: Terminal) -> Result<Verdict> {
    match arguments {
        Arguments::Inspect(arguments) => inspect::run(arguments, terminal),
        Arguments::Measure(arguments) => measure::run(arguments, terminal),
        Arguments::Diff(arguments) => diff::run(arguments, terminal),
        Arguments::Sign(arguments) => sign::run(arguments, terminal),
    }
}
