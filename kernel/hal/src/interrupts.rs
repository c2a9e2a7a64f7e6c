//! Interrupts that the rest of the kernel hears of.
//!
//! There are two: another processor's call ([`crate::processors::wake`]) and the
//! timer. Their handlers run with interrupts masked on the stack of the code
//! that they interrupt; they may go on with another task, since the interrupt is
//! over for its controller by then.
//!
//! | platform | calls | timer |
//! |---|---|---|
//! | native | local APIC | local APIC |
//! | SEV-SNP, restricted injection, no guest | #HV | local APIC of the host, by #HV |
//! | SEV-SNP otherwise | looked for when interrupts would be unmasked, and in [`crate::processors::wait`] | none |

use core::sync::atomic::Ordering;

pub use crate::interrupt_handlers::{on_call, on_timer};
use crate::platform::current as platform;
use crate::processor::{NO_ALARM, current};
use crate::sync::mask;
use crate::time::now_ns;

/// Has the timer come on this processor at `deadline_ns` of
/// [`now_ns`] or soon after it, in place of any time before;
/// `None` for not at all. Does nothing on a platform without a timer, where
/// deadlines have to be looked at otherwise ([`has_timer`]).
pub fn set_timer(deadline_ns: Option<u64>) {
    let _masked = mask();
    let deadline = deadline_ns.unwrap_or(NO_ALARM);
    current().alarm_ns.store(deadline, Ordering::Relaxed);
    platform().set_timer(deadline_ns.map(|deadline| deadline.saturating_sub(now_ns())));
}

/// Whether [`set_timer`] has asked for a time on this processor that has not
/// come yet. On a platform without a timer: until it asks for none.
#[must_use]
pub fn is_timer_set() -> bool {
    current().alarm_ns.load(Ordering::Relaxed) != NO_ALARM
}

/// Whether this platform has a timer.
#[must_use]
pub fn has_timer() -> bool {
    platform().has_timer()
}

/// Lets interrupts come for the first time on this processor, where they come by
/// the processor's flag. Whoever masks them, from then on, unmasks them at the
/// end. For code that holds no [`Masked`](crate::sync::Masked).
pub fn unmask_for_the_first_time() {
    if platform().has_interrupts() {
        crate::sync::unmask_for_the_first_time();
    }
}
