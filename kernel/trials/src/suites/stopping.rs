//! What stops the machine, and the reasons it gives.

use hal::StopReason;

use crate::trial::Ending;

/// The endings.
pub(super) const ENDINGS: &[Ending] =
    &[Ending { name: "panic", reason: StopReason::Panic, run: || panic!("as asked for") }];
