//! Processors forget translations that are not true any more.
//!
//! The protocol is `lib/shootdown`'s. Where the processor can do it by itself
//! (INVLPGB), no other one has to be asked.

use core::ops::Range;

use shootdown::{ActiveProcessors, Ticket};

use crate::memory::flush_own;
use crate::processor::{MAX_PROCESSORS, current};
use crate::sync::mask;
use crate::{broadcast, platform, processor_table};

/// Processors that use the kernel's half of the address space.
static ACTIVE: ActiveProcessors = ActiveProcessors::new();

/// Notes that a processor uses the kernel's tables, or is about to start and
/// will use them.
pub(crate) fn include(number: u32) {
    ACTIVE.enter(number);
}

/// Makes all processors forget the translations of `range`, and returns when
/// they have, or will before they use one. Callers hold no lock, but may have
/// masked interrupts.
pub(crate) fn shoot_down(range: Range<u64>) {
    if broadcast::is_available() {
        broadcast::forget();
        return;
    }
    let mut tickets: [Option<Ticket>; MAX_PROCESSORS] = [None; MAX_PROCESSORS];
    {
        // Which processor is the own one must not change in between.
        let _masked = mask();
        flush_own(range);
        let own = current().index().number();
        for number in ACTIVE.all().filter(|number| *number != own) {
            if let Some(other) = processor_table::of(number) {
                tickets[number as usize] = other.requests.add_flush();
                if tickets[number as usize].is_some() {
                    platform::current().kick(other);
                }
            }
        }
    }
    for (number, ticket) in (0..).zip(tickets) {
        let Some(ticket) = ticket else { continue };
        let Some(other) = processor_table::of(number) else { continue };
        while !other.requests.has_flushed(ticket) {
            // Two that ask each other would wait for ever otherwise. The end of
            // masking alone does not do it: callers may have masked interrupts.
            let masked = mask();
            current().requests.serve();
            drop(masked);
            core::hint::spin_loop();
        }
    }
}
