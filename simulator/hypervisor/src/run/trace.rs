//! What is told about a run while it happens, if it was asked for.

use abi_simulator::launch::Trace;
use abi_simulator::report::Report;
use alloc::string::String;

use crate::reporter;

/// What was asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tracer(pub(super) Trace);

impl Tracer {
    /// Tells `text`, if its kind was asked for.
    pub(super) fn tell(self, kind: Trace, text: impl FnOnce() -> String) {
        if self.0.contains(kind) {
            reporter::send(&Report::Trace { text: text() });
        }
    }
}
