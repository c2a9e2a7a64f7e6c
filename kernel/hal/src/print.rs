//! `println!`: a line on the platform's console.

use core::fmt::{self, Write};

use core::sync::atomic::{AtomicBool, Ordering};

use abi_boot::ConsoleAudience;
use serial::Terminal;

use crate::platform::current;

/// Whether the image lets anybody read the console. What is told before the
/// image is known, is how it is broken.
static IS_ALLOWED: AtomicBool = AtomicBool::new(true);

/// Notes whom the image lets read the console. Reports of faults hold registers,
/// so they are for nobody but the tenant.
pub(crate) fn allow(audience: ConsoleAudience) {
    IS_ALLOWED.store(audience != ConsoleAudience::NONE, Ordering::Relaxed);
    FAULTS_ARE_ALLOWED.store(audience == ConsoleAudience::TENANT, Ordering::Relaxed);
}

/// Whether reports of faults may be printed.
static FAULTS_ARE_ALLOWED: AtomicBool = AtomicBool::new(true);

/// Whether reports of faults may be printed.
pub(crate) fn faults_are_allowed() -> bool {
    FAULTS_ARE_ALLOWED.load(Ordering::Relaxed)
}

/// Writes text to the platform's console; does nothing where there is none, or
/// where the image lets nobody read it.
///
/// The reader is whoever runs the virtual machine, so nothing that is worth
/// hiding may be printed. [`println!`](crate::println) is the way to call it.
pub fn print(text: fmt::Arguments<'_>) {
    if IS_ALLOWED.load(Ordering::Relaxed)
        && let Some(console) = current().console()
    {
        // An error can only come from a `Display` that reports one by itself;
        // the line then ends early, which is all that can be done about it.
        let _ = Terminal::new(console).write_fmt(text);
    }
}

/// Prints a line to the platform's console, as the standard library's macro of
/// this name does. Whoever runs the virtual machine can read it.
#[macro_export]
macro_rules! println {
    () => { $crate::print(::core::format_args!("\n")) };
    ($($text:tt)*) => {
        $crate::print(::core::format_args!("{}\n", ::core::format_args!($($text)*)))
    };
}
