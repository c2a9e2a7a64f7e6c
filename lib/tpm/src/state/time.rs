//! Time, clock, and counters of starts [Part 1 §36].

use crate::wire::structure::{ClockInfo, TimeInfo};

/// How far the clock may run ahead of its stored value: 2²² ms.
pub(crate) const CLOCK_STEP_MS: u64 = 1 << 22;

/// Time as the device tells it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Time {
    /// The platform's clock when this power cycle began, or went on here.
    pub(crate) power_on_ms: u64,
    /// Milliseconds of this power cycle before that: where its volatile state
    /// comes from.
    pub(crate) before_ms: u64,
    /// Milliseconds since the power cycle began.
    pub(crate) time: u64,
    /// Milliseconds with power in all.
    pub(crate) clock: u64,
    /// Whether a higher value of `clock` may have been told before.
    pub(crate) unsafe_until: Option<u64>,
    pub(crate) reset_count: u32,
    pub(crate) restart_count: u32,
    /// Resets in all; unlike `reset_count`, nothing sets it back.
    pub(crate) total_resets: u64,
    /// Restarts since the last reset: not starts that go on with state.
    pub(crate) clear_count: u32,
}

impl Time {
    /// Lets time pass up to the platform's `now_ms`.
    pub(crate) fn advance(&mut self, now_ms: u64) {
        let here_ms = now_ms.saturating_sub(self.power_on_ms);
        let time = self.before_ms.saturating_add(here_ms).max(self.time);
        self.clock = self.clock.saturating_add(time - self.time);
        self.time = time;
        if self.unsafe_until.is_some_and(|until| self.clock >= until) {
            self.unsafe_until = None;
        }
    }

    /// A number for the time since this start: times of others mean nothing.
    pub(crate) const fn epoch(&self) -> u64 {
        (self.total_resets << 32) | self.restart_count as u64
    }

    /// What `TPM2_ReadClock` tells.
    pub(crate) const fn info(&self) -> TimeInfo {
        TimeInfo {
            time: self.time,
            clock: ClockInfo {
                clock: self.clock,
                reset_count: self.reset_count,
                restart_count: self.restart_count,
                safe: self.unsafe_until.is_none(),
            },
        }
    }
}
