//! The timer, under restricted injection: the one of the host's interrupt
//! controller.

use super::doorbell_controller::CONTROLLER;
use crate::stop_reason::StopReason;
use crate::sync::Once;
use crate::time::{self, MILLISECOND_NS};
use crate::timer_ticks::TimerTicks;

static TICKS: Once<TimerTicks> = Once::new();

/// Finds out how fast the timer runs.
pub(super) fn start() -> Result<(), StopReason> {
    let ticks = CONTROLLER.count_ticks(|| time::pass(MILLISECOND_NS))?;
    // A host that lets it stand still gives us no timer.
    if let Some(ticks) = TimerTicks::in_a_millisecond(ticks) {
        // A second start would say the same.
        let _ = TICKS.set(ticks);
    }
    Ok(())
}

/// Whether there is one.
pub(crate) fn is_there() -> bool {
    TICKS.get().is_some()
}

/// Has it come once after so many nanoseconds, or not at all.
pub(crate) fn set_timer(after_ns: Option<u64>) {
    if let Some(ticks) = TICKS.get() {
        // A host that does not do it gives us no timer.
        let _ = CONTROLLER.set_timer(after_ns.map_or(0, |after| ticks.of(after)));
    }
}
