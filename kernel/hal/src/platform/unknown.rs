//! A boot block that names no platform this kernel knows.
//!
//! Nothing may be assumed: there is no console, and the end is a triple fault,
//! which takes no cooperation from anybody.

use core::fmt;

use abi_boot::BootBlock;

use super::interface::Platform;
use super::triple_fault::triple_fault;
use crate::stop_reason::StopReason;
use serial::Console;

/// No known platform.
pub(crate) struct Unknown;

impl Platform for Unknown {
    fn prepare(&self) {}

    fn start(
        &self,
        _block: &BootBlock<'static>,
        _tell: fn(fmt::Arguments<'_>),
    ) -> Result<(), StopReason> {
        Err(StopReason::UnknownPlatform)
    }

    fn console(&self) -> Option<&dyn Console> {
        None
    }

    fn stop(&self, _reason: StopReason) -> ! {
        triple_fault()
    }
}
