//! Messages: the first serial port; during a run, when the guest has that port,
//! the debug console.

use core::fmt::{self, Write};
use core::sync::atomic::{AtomicBool, Ordering};

use serial::{Terminal, Uart};

use crate::port::Ports;
use crate::reporter;

static CONSOLE: Uart<Ports> = Uart::new(Ports::SERIAL);

/// Prints a line, as the standard library's macro of this name does.
macro_rules! println {
    () => { $crate::console::print(::core::format_args!("\n")) };
    ($($text:tt)*) => {
        $crate::console::print(::core::format_args!("{}\n", ::core::format_args!($($text)*)))
    };
}

/// Whether the port is the guest's.
static IS_GUESTS: AtomicBool = AtomicBool::new(false);

/// Leaves the port to the guest: messages go to the debug console from now on.
pub(crate) fn leave_to_guest() {
    IS_GUESTS.store(true, Ordering::Relaxed);
}

/// Tells of a fault of this program, which ends now.
pub(crate) fn print_fault(text: fmt::Arguments<'_>) {
    if IS_GUESTS.load(Ordering::Relaxed) {
        reporter::send_fault(text);
    } else {
        println!("\n{text}");
    }
}

/// Prepares the port. Called once, before anything is printed.
pub(crate) fn prepare() {
    CONSOLE.configure();
}

/// Writes text; [`println!`] is the way to call it.
pub(crate) fn print(text: fmt::Arguments<'_>) {
    // An error can only come from a `Display` that reports one by itself; the
    // line then ends early, which is all that can be done about it.
    let _ = Terminal::new(&CONSOLE).write_fmt(text);
}

pub(crate) use println;
