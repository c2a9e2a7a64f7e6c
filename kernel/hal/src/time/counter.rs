//! The time stamp counter.

use core::arch::asm;

/// Counts so far. Everything before this in the program has happened when it is
/// read.
pub(crate) fn count() -> u64 {
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
