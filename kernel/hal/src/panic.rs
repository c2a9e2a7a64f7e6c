//! What happens on a Rust panic.

use core::panic::PanicInfo;

use crate::stop::stop_with_report;
use crate::stop_reason::StopReason;
use crate::{backtrace, println};

/// Prints location, message and callers, then stops the machine.
#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    stop_with_report(StopReason::Panic, || {
        println!("{info}");
        backtrace::print_callers();
    })
}
