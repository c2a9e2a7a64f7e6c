//! What happens on a Rust panic, which unexpected exceptions become too.

use core::panic::PanicInfo;
use core::sync::atomic::{AtomicBool, Ordering};

use crate::console::println;
use crate::ending::{Reason, terminate};

/// Prints location and message, then ends the guest. A panic while printing
/// ends it at once.
#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    static PANICKED: AtomicBool = AtomicBool::new(false);
    if !PANICKED.swap(true, Ordering::Relaxed) {
        println!("\n{info}");
    }
    terminate(Reason::Broken)
}
