//! Who sits at the console: nobody, but all is written down.

use std::os::fd::OwnedFd;

use abi_simulator::report::Report;
use anyhow::Result;

use crate::simulation::{Operator, Typed};

/// What the console has shown.
#[derive(Default)]
pub(super) struct Listener(Vec<u8>);

impl Listener {
    /// The text, without carriage returns.
    pub(super) fn into_text(self) -> String {
        String::from_utf8_lossy(&self.0).replace('\r', "")
    }
}

impl Operator for Listener {
    fn keyboard(&mut self) -> Result<Option<OwnedFd>> {
        Ok(None)
    }

    fn console(&mut self, bytes: &[u8]) -> Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn typed(&mut self, _: &[u8]) -> Result<Typed> {
        Ok(Typed::Send(Vec::new()))
    }

    fn told(&mut self, _: &Report) -> Result<()> {
        Ok(())
    }
}
