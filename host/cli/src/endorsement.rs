//! `svsm endorsement`: certificates of the simulated security processor, and
//! what they are for.

mod export;
mod verify;

use anyhow::Result;

use crate::failure::Verdict;
use crate::session::Session;

/// What to do with them.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Arguments {
    /// Write the certificates to a folder, for verifiers
    Export(export::Arguments),
    /// Verify an attestation report and tell what it says
    Verify(verify::Arguments),
}

/// Runs the command.
///
/// # Errors
///
/// Keys or certificates are unusable, or a file cannot be read or written; the
/// message names it.
pub(crate) fn run(arguments: &Arguments, session: Session) -> Result<Verdict> {
    match arguments {
        Arguments::Export(arguments) => export::run(arguments, session),
        Arguments::Verify(arguments) => verify::run(arguments, session),
    }
}
