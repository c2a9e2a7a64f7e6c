//! The log: a ring for each processor, and the console.

use alloc::vec::Vec;
use core::fmt;

use abi_boot::BootBlock;
use hal::heap::TryPush;
use kernel_log::{LOG, MessageRing, Sources, log_for_tenant};

/// Keeps what `hal` tells while it starts, for the tenant.
pub fn keep(text: fmt::Arguments<'_>) {
    log_for_tenant!(Info, "{text}");
}

/// Lets the console show what the image's manifest allows.
pub(crate) fn open(block: &BootBlock<'_>) {
    LOG.open_console(block.console, hal::print);
}

/// Gives each of so many processors a ring of its own; one for all must do where
/// there is no memory.
pub(crate) fn spread(processors: u32) {
    let mut rings = Vec::new();
    // No more than they take: vectors that grow take up to twice as much.
    let has_room = rings.try_reserve_exact(processors.saturating_sub(1) as usize).is_ok();
    for _ in 1..processors {
        if !has_room || rings.try_push(MessageRing::new()).is_err() {
            log_for_tenant!(Warning, "there is no memory for the log of all processors");
            break;
        }
    }
    LOG.spread(Sources {
        rings: rings.leak(),
        processor: || hal::processor::current().index().number() as usize,
        now_ns: hal::time::now_ns,
    });
}
