//! What happens on a Rust panic.

use core::panic::PanicInfo;
use core::sync::atomic::{AtomicBool, Ordering};

use crate::console::println;
use crate::exit::{Status, exit};

/// Prints location and message, then ends the machine. A panic while printing
/// ends it at once.
#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    static PANICKED: AtomicBool = AtomicBool::new(false);
    if !PANICKED.swap(true, Ordering::Relaxed) {
        println!("\n{info}");
    }
    exit(Status::Fault)
}
