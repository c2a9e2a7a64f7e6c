//! The local APIC's timer.
//!
//! It counts down from an initial value, once or again and again, or waits for
//! the time stamp counter to reach a deadline [APM 24593 §16.4.1],
//! [SDM 3A §11.5.4]. The counter's clock has 1 GHz before division, so that
//! nothing is ever rounded.

use core::num::NonZeroU64;

use crate::moment::Moment;

/// Nanoseconds of a second.
const NANOSECONDS: u128 = 1_000_000_000;

/// What the timer does, by bits 18:17 of its local vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimerMode {
    OneShot,
    Periodic,
    Deadline,
    /// Never expires.
    Reserved,
}

impl TimerMode {
    /// The mode in bits 1:0.
    pub(crate) const fn from_bits(bits: u32) -> Self {
        match bits & 3 {
            0 => Self::OneShot,
            1 => Self::Periodic,
            2 => Self::Deadline,
            _ => Self::Reserved,
        }
    }

    /// Whether the counter is used.
    const fn counts(self) -> bool {
        matches!(self, Self::OneShot | Self::Periodic)
    }
}

/// The counter had this value at this time.
#[derive(Clone, Copy, Debug)]
struct Countdown {
    since_ns: u64,
    count: u32,
}

/// The timer's registers.
#[derive(Clone, Debug)]
pub(crate) struct Timer {
    mode: TimerMode,
    initial_count: u32,
    divide_configuration: u32,
    /// `None` while the counter stands at zero.
    countdown: Option<Countdown>,
    /// Time stamp; 0 is none.
    deadline: u64,
}

impl Timer {
    /// The timer after reset: stopped.
    pub(crate) const fn new() -> Self {
        Self {
            mode: TimerMode::OneShot,
            initial_count: 0,
            divide_configuration: 0,
            countdown: None,
            deadline: 0,
        }
    }

    /// Changes the mode. Going to and from the deadline mode stops the timer
    /// [SDM 3A §11.5.4.1].
    pub(crate) fn set_mode(&mut self, mode: TimerMode) {
        let counts_on = self.mode.counts() && mode.counts();
        if self.mode != mode && !counts_on {
            self.initial_count = 0;
            self.countdown = None;
            self.deadline = 0;
        }
        self.mode = mode;
    }

    pub(crate) const fn initial_count(&self) -> u32 {
        self.initial_count
    }

    /// Starts the counter, or stops it with 0. Ignored unless it is used.
    pub(crate) fn set_initial_count(&mut self, count: u32, now: Moment) {
        if !self.mode.counts() {
            return;
        }
        self.initial_count = count;
        self.countdown = (count != 0).then_some(Countdown { since_ns: now.nanoseconds, count });
    }

    /// The counter, if the timer was advanced to `now`.
    pub(crate) fn current_count(&self, now: Moment) -> u32 {
        let Some(Countdown { since_ns, count }) = self.countdown else { return 0 };
        let ticks = now.nanoseconds.saturating_sub(since_ns) >> self.shift();
        count.saturating_sub(u32::try_from(ticks).unwrap_or(u32::MAX))
    }

    pub(crate) const fn divide_configuration(&self) -> u32 {
        self.divide_configuration
    }

    /// Sets bits 3, 1 and 0. A counter that runs goes on from its value with
    /// the new speed.
    pub(crate) fn set_divide_configuration(&mut self, bits: u32, now: Moment) {
        let count = self.current_count(now);
        self.divide_configuration = bits & 0b1011;
        if let Some(countdown) = &mut self.countdown {
            *countdown = Countdown { since_ns: now.nanoseconds, count };
        }
    }

    /// The deadline; 0 outside the deadline mode and after it has passed.
    pub(crate) const fn deadline(&self) -> u64 {
        self.deadline
    }

    /// Sets the deadline, 0 for none. Ignored outside the deadline mode.
    pub(crate) fn set_deadline(&mut self, time_stamp: u64) {
        if self.mode == TimerMode::Deadline {
            self.deadline = time_stamp;
        }
    }

    /// Lets the time pass up to `now`. Whether the timer expired in it; several
    /// periods that passed at once are one expiry.
    pub(crate) fn advance(&mut self, now: Moment) -> bool {
        if self.mode == TimerMode::Deadline {
            let expired = self.deadline != 0 && self.deadline <= now.time_stamp;
            if expired {
                self.deadline = 0;
            }
            return expired;
        }
        let Some(expiry) = self.countdown_end_ns() else { return false };
        let Some(late) = now.nanoseconds.checked_sub(expiry) else { return false };
        let period = self.nanoseconds(self.initial_count);
        self.countdown = (self.mode == TimerMode::Periodic && period != 0).then(|| Countdown {
            since_ns: now.nanoseconds - late % period,
            count: self.initial_count,
        });
        true
    }

    /// When the timer expires next, if the time stamp counter has
    /// `time_stamp_hz` from `now` on.
    pub(crate) fn next_expiry_ns(&self, now: Moment, time_stamp_hz: NonZeroU64) -> Option<u64> {
        if self.mode != TimerMode::Deadline {
            return self.countdown_end_ns();
        }
        if self.deadline == 0 {
            return None;
        }
        let ticks = u128::from(self.deadline.saturating_sub(now.time_stamp));
        // Less than 2^64 times 2^30.
        let wait = (ticks * NANOSECONDS).div_ceil(u128::from(time_stamp_hz.get()));
        let wait = u64::try_from(wait).unwrap_or(u64::MAX);
        Some(now.nanoseconds.saturating_add(wait))
    }

    /// When the counter reaches zero.
    fn countdown_end_ns(&self) -> Option<u64> {
        let Countdown { since_ns, count } = self.countdown?;
        Some(since_ns.saturating_add(self.nanoseconds(count)))
    }

    /// How long the counter takes for `count` steps: less than 2^39.
    const fn nanoseconds(&self, count: u32) -> u64 {
        (count as u64) << self.shift()
    }

    /// The binary logarithm of the clock's divisor: 0 to 7.
    const fn shift(&self) -> u32 {
        let code = self.divide_configuration >> 1 & 0b100 | self.divide_configuration & 0b011;
        (code + 1) % 8
    }
}

#[cfg(test)]
mod tests;
