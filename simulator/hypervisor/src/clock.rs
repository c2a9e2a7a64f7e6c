//! Time: the processor's time stamp counter, in nanoseconds.

use core::arch::x86_64::_rdtsc;
use core::num::NonZeroU64;

use crate::local_apic;

/// Nanoseconds of the measurement at start: long against what reading two
/// clocks takes, for guests compare this one with others.
const CALIBRATION: u32 = 20_000_000;

/// A clock that never goes back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    /// Ticks of the time stamp counter in [`CALIBRATION`].
    ticks: u64,
}

/// The same moment by two clocks.
struct Sample {
    /// The local APIC's timer, which counts down.
    count: u32,
    /// The time stamp counter.
    ticks: u64,
}

impl Sample {
    /// Reads both clocks several times, and takes the reading that took least:
    /// QEMU may have been interrupted during the others.
    fn take() -> Self {
        const READINGS: u32 = 16;
        let reading = |_| {
            let before = ticks();
            let count = local_apic::timer_count();
            let duration = ticks() - before;
            (duration, Self { count, ticks: before + duration / 2 })
        };
        let quickest = (0..READINGS).map(reading).min_by_key(|(duration, _)| *duration);
        quickest.expect("there are readings").1
    }
}

impl Clock {
    /// Measures the time stamp counter against the local APIC's timer, which
    /// counts nanoseconds in QEMU.
    pub(crate) fn measure() -> Self {
        local_apic::start_timer(u32::MAX);
        let start = Sample::take();
        while start.count - local_apic::timer_count() < CALIBRATION {}
        let end = Sample::take();
        local_apic::start_timer(0);
        let passed = u64::from(start.count - end.count);
        let ticks = (end.ticks - start.ticks) * u64::from(CALIBRATION) / passed;
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
