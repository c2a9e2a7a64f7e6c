//! Time: the processor's time stamp counter, in nanoseconds.

use core::arch::x86_64::_rdtsc;
use core::num::NonZeroU64;

use crate::local_apic;

/// Nanoseconds of the measurement at start.
const CALIBRATION: u32 = 2_000_000;

/// A clock that never goes back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    /// Ticks of the time stamp counter in [`CALIBRATION`].
    ticks: u64,
}

impl Clock {
    /// Measures the time stamp counter against the local APIC's timer, which
    /// counts nanoseconds in QEMU.
    pub(crate) fn measure() -> Self {
        local_apic::start_timer(u32::MAX);
        let (count, start) = (local_apic::timer_count(), ticks());
        while count - local_apic::timer_count() < CALIBRATION {}
        let passed = u64::from(count - local_apic::timer_count());
        let ticks = (ticks() - start) * u64::from(CALIBRATION) / passed;
        local_apic::start_timer(0);
        Self { ticks: ticks.max(1) }
    }

    /// Nanoseconds since the machine's start.
    pub(crate) fn now(self) -> u64 {
        self.nanoseconds(ticks())
    }

    /// Nanoseconds in `ticks` of the time stamp counter.
    pub(crate) fn nanoseconds(self, ticks: u64) -> u64 {
        (u128::from(ticks) * u128::from(CALIBRATION) / u128::from(self.ticks)) as u64
    }

    /// Ticks of the time stamp counter in a second.
    pub(crate) fn frequency(self) -> NonZeroU64 {
        let hertz = self.ticks * (1_000_000_000 / u64::from(CALIBRATION));
        NonZeroU64::new(hertz).expect("`measure` sees to it that there are ticks")
    }
}

/// The time stamp counter.
pub(crate) fn ticks() -> u64 {
    // SAFETY: every processor with long mode has this instruction, which reads
    // a counter.
    unsafe { _rdtsc() }
}
