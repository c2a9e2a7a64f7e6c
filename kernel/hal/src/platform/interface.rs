//! What the kernel asks of every platform.

use crate::stop_reason::StopReason;
use serial::Console;

/// A platform, by what this kernel needs of it.
pub(crate) trait Platform {
    /// Prepares the platform's devices. Called once, before the other methods.
    fn prepare(&self);

    /// Where messages go, if the platform has such a place.
    fn console(&self) -> Option<&dyn Console>;

    /// Ends the machine, telling the hypervisor `reason` if it listens.
    fn stop(&self, reason: StopReason) -> !;
}
