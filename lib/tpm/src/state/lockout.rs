//! Protection against guessing of authorization values [Part 1 §19.8].

use crate::wire::macros::structures;

structures! {
    /// Failures and limits. Times are in seconds.
    Lockout {
        failed_tries: u32,
        max_tries: u32,
        /// After so long without a failure, one failure is forgotten; zero: no
        /// protection.
        recovery_time: u32,
        /// How long a wrong lockout authorization locks that out; zero: until
        /// the next reset.
        lockout_recovery: u32,
        /// The lockout authorization can be used.
        lockout_enabled: bool,
    }
}

/// Protection and its timers.
#[derive(Clone, Debug)]
pub(crate) struct Guard {
    pub(crate) stored: Lockout,
    /// The device's time in milliseconds since which no failure was forgotten.
    pub(crate) healed_ms: u64,
    /// When the lockout authorization failed.
    pub(crate) lockout_failed_ms: u64,
}

impl Lockout {
    /// As a device is made [Part 3 §25, defaults of this implementation].
    pub(crate) const DEFAULT: Self = Self {
        failed_tries: 0,
        max_tries: 32,
        recovery_time: 600,
        lockout_recovery: 86_400,
        lockout_enabled: true,
    };
}

impl Guard {
    /// Whether no more guesses are taken.
    pub(crate) const fn is_locked(&self) -> bool {
        self.stored.recovery_time != 0 && self.stored.failed_tries >= self.stored.max_tries
    }

    /// Counts a wrong guess at time `now_ms`.
    pub(crate) fn failed(&mut self, now_ms: u64) {
        if self.stored.recovery_time == 0 {
            return;
        }
        self.stored.failed_tries = self.stored.failed_tries.saturating_add(1);
        self.healed_ms = now_ms;
    }

    /// Notes a wrong lockout authorization.
    pub(crate) const fn lockout_failed(&mut self, now_ms: u64) {
        self.stored.lockout_enabled = false;
        self.lockout_failed_ms = now_ms;
    }

    /// Forgets failures whose time has passed.
    pub(crate) fn heal(&mut self, now_ms: u64) {
        let recovery_ms = u64::from(self.stored.recovery_time) * 1000;
        if recovery_ms != 0 && self.stored.failed_tries > 0 {
            let healed = now_ms.saturating_sub(self.healed_ms) / recovery_ms;
            let forgotten = u32::try_from(healed).unwrap_or(u32::MAX).min(self.stored.failed_tries);
            self.stored.failed_tries -= forgotten;
            // No overflow: at most what was divided above.
            self.healed_ms += u64::from(forgotten) * recovery_ms;
        } else {
            self.healed_ms = now_ms;
        }
        let lockout_ms = u64::from(self.stored.lockout_recovery) * 1000;
        if !self.stored.lockout_enabled
            && lockout_ms != 0
            && now_ms.saturating_sub(self.lockout_failed_ms) >= lockout_ms
        {
            self.stored.lockout_enabled = true;
        }
    }
}
