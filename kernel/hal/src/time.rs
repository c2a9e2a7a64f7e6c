//! Time: nanoseconds since the start.
//!
//! It comes from the time stamp counter. On SEV-SNP with Secure TSC nobody can
//! change how that runs, and the processor tells its frequency; without, both
//! are the host's to say, and time never goes back only because the greatest
//! value that any processor has seen is kept.
//!
//! | file | what |
//! |---|---|
//! | `clock` | from counts to nanoseconds and back |
//! | `interval_timer` | how long a count takes, by the PC's timer chip |
//! | `counter` | the counter |
//! | `frequency` | frequencies that processor and host tell |

mod clock;
mod counter;
mod frequency;
mod interval_timer;

use core::sync::atomic::{AtomicU64, Ordering};

pub(crate) use clock::Clock;
pub use counter::count;
pub(crate) use frequency::{of_core_crystal, of_hypervisor_leaf, plausible};
pub(crate) use interval_timer::{PortAccess, measure};

use crate::sync::Once;

/// Nanoseconds in a millisecond.
pub(crate) const MILLISECOND_NS: u64 = 1_000_000;

/// How the counter runs, from the start on.
static CLOCK: Once<Clock> = Once::new();

/// The greatest time that was told.
static LATEST: AtomicU64 = AtomicU64::new(0);

/// Notes that the counter makes `frequency` counts in a second; time starts now.
///
/// # Panics
///
/// If it was noted before.
pub(crate) fn start(frequency: u64) {
    assert!(CLOCK.set(Clock::new(count(), frequency)).is_ok(), "time starts once");
}

/// Nanoseconds since the start; 0 before. Never less than any processor was told
/// before.
#[must_use]
pub fn now_ns() -> u64 {
    let Some(clock) = CLOCK.get() else { return 0 };
    let now = clock.nanoseconds(count());
    LATEST.fetch_max(now, Ordering::Relaxed).max(now)
}

/// Whether this time has come, as [`now_ns`] would tell; but nobody else is told
/// of it, which costs less.
#[must_use]
pub fn has_come(deadline_ns: u64) -> bool {
    let now = CLOCK.get().map_or(0, |clock| clock.nanoseconds(count()));
    now >= deadline_ns || LATEST.load(Ordering::Relaxed) >= deadline_ns
}

/// Counts of the time stamp counter in a second; 0 before the start.
#[must_use]
pub fn counter_frequency() -> u64 {
    CLOCK.get().map_or(0, Clock::frequency)
}

/// Does nothing for a while. Returns early if time does not go on.
pub(crate) fn pass(duration_ns: u64) {
    wait_for(duration_ns, || false);
}

/// Looks for something until it is there or some time has passed; whether it is
/// there. Returns early if time does not go on.
pub(crate) fn wait_for(duration_ns: u64, is_there: impl Fn() -> bool) -> bool {
    let end = now_ns().saturating_add(duration_ns);
    let mut stands_still = 0;
    let mut last = 0;
    loop {
        if is_there() {
            return true;
        }
        let now = now_ns();
        stands_still = if now == last { stands_still + 1 } else { 0 };
        if now >= end || stands_still == MOST_LOOKS {
            return false;
        }
        last = now;
        core::hint::spin_loop();
    }
}

/// How often [`wait_for`] looks at a clock that stands still.
const MOST_LOOKS: u32 = 1_000_000;
