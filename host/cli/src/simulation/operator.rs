//! Who sits at the machine's console.

use std::os::fd::OwnedFd;

use abi_simulator::report::Report;
use anyhow::Result;

/// What becomes of typed keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Typed {
    /// The guest gets these bytes, which may be none.
    Send(Vec<u8>),
    /// The run is over.
    Leave,
}

/// Whoever reads and writes the guest's console and hears what the simulator
/// says. An error ends the run.
pub(crate) trait Operator {
    /// What is typed on, if anything is typed. Asked once, just before the
    /// machine starts.
    ///
    /// # Errors
    ///
    /// There should be a keyboard, but it fails.
    fn keyboard(&mut self) -> Result<Option<OwnedFd>>;

    /// The guest wrote to its console.
    ///
    /// # Errors
    ///
    /// It cannot be passed on.
    fn console(&mut self, bytes: &[u8]) -> Result<()>;

    /// Keys were pressed on the keyboard.
    ///
    /// # Errors
    ///
    /// An answer cannot be shown.
    fn typed(&mut self, keys: &[u8]) -> Result<Typed>;

    /// The simulator says something about the run. How it ends and what was
    /// counted also stand in its outcome.
    ///
    /// # Errors
    ///
    /// It cannot be passed on.
    fn told(&mut self, report: &Report) -> Result<()>;
}
