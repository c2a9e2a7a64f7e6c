//! `svsm tpm`: the TPM 2.0 device as a program.

mod child;
mod new_device;
mod peer;
mod serve;

use anyhow::Result;

pub(crate) use child::Server;
pub(crate) use peer::{Emulator, InProcess, Peer, Served};

use crate::failure::Verdict;
use crate::session::Session;

/// What to do with it.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Arguments {
    /// Serve a TPM on sockets, to software that talks to swtpm or to
    /// Microsoft's simulator
    Serve(Box<serve::Arguments>),
}

/// Runs the command.
///
/// # Errors
///
/// The state cannot be used, or a socket cannot be made.
pub(crate) fn run(arguments: &Arguments, session: Session) -> Result<Verdict> {
    match arguments {
        Arguments::Serve(arguments) => serve::run(arguments, session),
    }
}
