//! What happens on a Rust panic.

use core::panic::PanicInfo;

use crate::println;
use crate::stop::stop_with_report;
use crate::stop_reason::StopReason;

/// Prints location and message, then stops the machine.
#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    stop_with_report(StopReason::Panic, || println!("{info}"))
}
