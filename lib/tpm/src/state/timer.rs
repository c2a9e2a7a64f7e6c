//! Authenticated countdown timers (ACT) [Part 1 §40, *from memory*; Part 2
//! §8.12 (TPMA_ACT)].
//!
//! A timer counts seconds down. At zero it is signaled: it asks the platform to
//! act. Nothing here acts; the platform looks. Power that is lost stops the
//! timers: those that were saved by an orderly shutdown go on afterwards.

use alloc::vec::Vec;

use crate::response_code::ResponseCode;
use crate::wire::algorithm::Hash;
use crate::wire::codec::{Reader, Wire};
use crate::wire::containers::List;
use crate::wire::handle::FIRST_TIMER;
use crate::wire::macros::structures;
use crate::wire::structure::Digest;

/// Handles of the timers that there are: those of the reference implementation.
pub(crate) const TIMERS: [u32; 2] = [FIRST_TIMER, FIRST_TIMER + 0xA];

/// The timeout that stands for a timer that is switched off.
const OFF: u32 = u32::MAX;

/// How far a timer has counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Count {
    /// It stands at zero.
    Zero,
    /// It reaches zero at this time of the device.
    Until { end_ms: u64 },
    /// It is switched off.
    Off,
}

/// One timer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Timer {
    pub(crate) handle: u32,
    count: Count,
    signaled: bool,
    /// It was set since the device started.
    changed: bool,
    pub(crate) policy_hash: Option<Hash>,
    pub(crate) policy: Digest,
}

structures! {
    /// What `TPM2_Shutdown(STATE)` saves of a timer.
    SavedTimer {
        handle: u32,
        remaining: u32,
        signaled: bool,
        policy_hash: Option<Hash>,
        policy: Digest,
    }
}

/// Saved timers.
pub(crate) type SavedTimers = List<SavedTimer, 2>;

impl Timer {
    const fn new(handle: u32) -> Self {
        Self {
            handle,
            count: Count::Zero,
            signaled: false,
            changed: false,
            policy_hash: None,
            policy: Digest::EMPTY,
        }
    }

    fn with(saved: &SavedTimer, now_ms: u64) -> Self {
        Self {
            handle: saved.handle,
            count: counting(saved.remaining, now_ms),
            signaled: saved.signaled,
            changed: false,
            policy_hash: saved.policy_hash,
            policy: saved.policy.clone(),
        }
    }

    /// Whether it asks the platform to act.
    pub(crate) const fn is_signaled(&self) -> bool {
        self.signaled
    }

    /// Seconds that are left, a part of one counting as one.
    pub(crate) fn remaining(&self, now_ms: u64) -> u32 {
        match self.count {
            Count::Zero => 0,
            Count::Until { end_ms } => {
                // It was set to a number of seconds that fits.
                u32::try_from(end_ms.saturating_sub(now_ms).div_ceil(1000)).unwrap_or(OFF - 1)
            }
            Count::Off => OFF,
        }
    }

    /// Starts it with `timeout` seconds [Part 3 §33.2]. Zero ends a
    /// count at once; 2³² − 1 switches the timer and its signal off.
    ///
    /// # Errors
    ///
    /// [`ResponseCode::VALUE`] if there is no signal to switch off.
    pub(crate) fn set(&mut self, timeout: u32, now_ms: u64) -> Result<(), ResponseCode> {
        if timeout == OFF && !self.signaled {
            return Err(ResponseCode::VALUE);
        }
        let was_counting = matches!(self.count, Count::Until { .. });
        self.count = counting(timeout, now_ms);
        self.signaled = timeout == 0 && (self.signaled || was_counting);
        self.changed = true;
        Ok(())
    }

    fn advance(&mut self, now_ms: u64) {
        if let Count::Until { end_ms } = self.count
            && end_ms <= now_ms
        {
            self.count = Count::Zero;
            self.signaled = true;
        }
    }

    /// A timer that was not set since the start is saved with half of its time:
    /// whoever saves and starts again and again gains nothing.
    fn save(&self, now_ms: u64) -> SavedTimer {
        let remaining = self.remaining(now_ms);
        let halved = !self.changed && remaining != OFF && remaining > 1;
        SavedTimer {
            handle: self.handle,
            remaining: if halved { remaining / 2 } else { remaining },
            signaled: self.signaled,
            policy_hash: self.policy_hash,
            policy: self.policy.clone(),
        }
    }
}

/// All of it, for the volatile record. Times are the device's.
impl Wire for Timer {
    fn write(&self, out: &mut Vec<u8>) {
        self.handle.write(out);
        match self.count {
            Count::Zero => 0_u8.write(out),
            Count::Until { end_ms } => {
                1_u8.write(out);
                end_ms.write(out);
            }
            Count::Off => 2_u8.write(out),
        }
        self.signaled.write(out);
        self.changed.write(out);
        self.policy_hash.write(out);
        self.policy.write(out);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, ResponseCode> {
        Ok(Self {
            handle: Wire::read(from)?,
            count: match u8::read(from)? {
                0 => Count::Zero,
                1 => Count::Until { end_ms: Wire::read(from)? },
                2 => Count::Off,
                _ => return Err(ResponseCode::VALUE),
            },
            signaled: Wire::read(from)?,
            changed: Wire::read(from)?,
            policy_hash: Wire::read(from)?,
            policy: Wire::read(from)?,
        })
    }
}

fn counting(seconds: u32, now_ms: u64) -> Count {
    match seconds {
        0 => Count::Zero,
        OFF => Count::Off,
        _ => Count::Until { end_ms: now_ms.saturating_add(u64::from(seconds) * 1000) },
    }
}

/// All timers.
#[derive(Clone, Debug)]
pub(crate) struct Timers([Timer; TIMERS.len()]);

impl Timers {
    /// Timers that stand at zero.
    pub(crate) fn reset() -> Self {
        Self(TIMERS.map(Timer::new))
    }

    /// Those that were saved go on, from `now_ms` of the device's time.
    pub(crate) fn resume(saved: &SavedTimers, now_ms: u64) -> Self {
        let find = |handle| saved.0.iter().find(|timer| timer.handle == handle);
        Self(TIMERS.map(|handle| {
            find(handle).map_or(Timer::new(handle), |timer| Timer::with(timer, now_ms))
        }))
    }

    /// All of them, for the volatile record.
    pub(crate) fn to_record(&self) -> List<Timer, { TIMERS.len() }> {
        List(self.0.to_vec())
    }

    /// Those of a volatile record.
    ///
    /// # Errors
    ///
    /// [`ResponseCode::VALUE`] if these are not the timers that there are.
    pub(crate) fn from_record(record: List<Timer, { TIMERS.len() }>) -> Result<Self, ResponseCode> {
        let timers: [Timer; TIMERS.len()] = record.0.try_into().map_err(|_| ResponseCode::VALUE)?;
        let sound = timers.iter().map(|timer| timer.handle).eq(TIMERS);
        sound.then_some(Self(timers)).ok_or(ResponseCode::VALUE)
    }

    /// What is saved of all of them.
    pub(crate) fn save(&self, now_ms: u64) -> SavedTimers {
        List(self.0.iter().map(|timer| timer.save(now_ms)).collect())
    }

    /// Lets time pass up to the device's `now_ms`.
    pub(crate) fn advance(&mut self, now_ms: u64) {
        self.0.iter_mut().for_each(|timer| timer.advance(now_ms));
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Timer> {
        self.0.iter()
    }

    pub(crate) fn get(&self, handle: u32) -> Option<&Timer> {
        self.0.iter().find(|timer| timer.handle == handle)
    }

    pub(crate) fn get_mut(&mut self, handle: u32) -> Option<&mut Timer> {
        self.0.iter_mut().find(|timer| timer.handle == handle)
    }
}
