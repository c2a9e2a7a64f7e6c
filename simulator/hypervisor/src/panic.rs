//! What happens on a Rust panic.

use core::panic::PanicInfo;
use core::sync::atomic::{AtomicBool, Ordering};

use crate::console::print_fault;
use crate::exit::{Status, exit};

/// Prints location and message, then ends the machine. A panic while printing
/// ends it at once.
#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    static PANICKED: AtomicBool = AtomicBool::new(false);
    if !PANICKED.swap(true, Ordering::Relaxed) {
        print_fault(format_args!("{info}"));
    }
    exit(Status::Fault)
}
