//! Who hears of interrupts.

use core::sync::atomic::Ordering;

use crate::processor::{NO_ALARM, current};
use crate::sync::Once;
use crate::time::now_ns;

static ON_CALL: Once<fn()> = Once::new();
static ON_TIMER: Once<fn()> = Once::new();

/// Names what runs after another processor has called this one. For the start,
/// before interrupts are unmasked for the first time.
///
/// # Panics
///
/// If it was named before.
pub fn on_call(handler: fn()) {
    assert!(ON_CALL.set(handler).is_ok(), "calls have one handler");
}

/// Names what runs when the timer has come. For the start, before interrupts are
/// unmasked for the first time.
///
/// # Panics
///
/// If it was named before.
pub fn on_timer(handler: fn()) {
    assert!(ON_TIMER.set(handler).is_ok(), "the timer has one handler");
}

/// A call has come, and is over for the controller.
pub(crate) fn call_came() {
    current().requests.serve();
    if let Some(handler) = ON_CALL.get() {
        handler();
    }
}

/// The timer has come, and is over for the controller. If that was too early
/// (its counter is narrow), `again` sets it for the rest, in nanoseconds.
pub(crate) fn timer_came(again: impl FnOnce(u64)) {
    let alarm = &current().alarm_ns;
    let deadline = alarm.load(Ordering::Relaxed);
    let now = now_ns();
    if deadline == NO_ALARM {
        return;
    }
    if now < deadline {
        return again(deadline - now);
    }
    alarm.store(NO_ALARM, Ordering::Relaxed);
    if let Some(handler) = ON_TIMER.get() {
        handler();
    }
}
