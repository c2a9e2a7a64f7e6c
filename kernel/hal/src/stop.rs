//! The end of the machine.

use core::sync::atomic::{AtomicU8, Ordering};

use crate::platform::{current, triple_fault};
use crate::println;
use crate::stop_reason::StopReason;

/// Says why on the console and stops the machine in the platform's way.
pub fn stop(reason: StopReason) -> ! {
    println!("stopped: {reason}");
    current().stop(reason)
}

/// Runs `report`, which tells of a fault, then stops.
///
/// Telling and stopping can fault again, so every further fault does less: the
/// second one only stops, all later ones end in a triple fault.
pub(crate) fn stop_with_report(reason: StopReason, report: impl FnOnce()) -> ! {
    static FAULTS: AtomicU8 = AtomicU8::new(0);
    // The count cannot wrap: a triple fault does not come back.
    match FAULTS.fetch_add(1, Ordering::Relaxed) {
        0 => {
            // The fault may have come in the middle of a line.
            println!();
            report();
            stop(reason)
        }
        1 => current().stop(reason),
        _ => triple_fault(),
    }
}
