//! The time stamp counter.

use core::arch::asm;

/// Counts of the processor that executes this. Everything before it in the
/// program has happened when the counter is read.
///
/// For measurements: [`now_ns`](crate::time::now_ns) never goes back, this may,
/// where the host decides how counters run.
#[must_use]
pub fn count() -> u64 {
    let (low, high): (u32, u32);
    // SAFETY: RDTSC reads a counter; LFENCE makes it wait for what is before.
    unsafe {
        asm!(
            "lfence",
            "rdtsc",
            out("eax") low,
            out("edx") high,
            options(nostack, preserves_flags),
        );
    }
    u64::from(high) << 32 | u64::from(low)
}
