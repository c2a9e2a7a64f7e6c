//! The end of the machine.
//!
//! One processor ends it for all. The first that has a reason claims the end and
//! asks the others to stop; one that comes second halts, so that the first can
//! finish its report.

use core::sync::atomic::{AtomicU8, AtomicU32, Ordering};

use crate::platform::{current as platform, triple_fault};
use crate::print::faults_are_allowed;
use crate::processor::current;
use crate::processor_requests::{Request, halt};
use crate::stop_reason::StopReason;
use crate::{println, processor_table};

/// Number of the processor that ends the machine.
static ENDED_BY: AtomicU32 = AtomicU32::new(NOBODY);
const NOBODY: u32 = u32::MAX;

/// Says why on the console and stops the machine in the platform's way.
pub fn stop(reason: StopReason) -> ! {
    claim();
    println!("stopped: {reason}");
    platform().stop(reason)
}

/// Runs `report`, which tells of a fault, then stops.
///
/// Telling and stopping can fault again, so every further fault does less: the
/// second one only stops, all later ones end in a triple fault.
pub(crate) fn stop_with_report(reason: StopReason, report: impl FnOnce()) -> ! {
    static FAULTS: AtomicU8 = AtomicU8::new(0);
    claim();
    // The count cannot wrap: a triple fault does not come back.
    match FAULTS.fetch_add(1, Ordering::Relaxed) {
        0 => {
            if faults_are_allowed() {
                // The fault may have come in the middle of a line.
                println!();
                report();
            }
            stop(reason)
        }
        1 => platform().stop(reason),
        _ => triple_fault(),
    }
}

/// Goes on if this processor may end the machine. A host that stops nobody can
/// let others run on until then; they do not learn of it sooner than they look
/// at their requests.
fn claim() {
    let own = current().index().number();
    match ENDED_BY.compare_exchange(NOBODY, own, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => {
            for other in processor_table::all().filter(|other| other.index().number() != own) {
                other.requests.add(Request::Stop);
                platform().kick(other);
            }
        }
        Err(first) if first == own => {}
        Err(_) => halt(),
    }
}
