//! `println!`: a line on the platform's console.

use core::fmt::{self, Write};

use crate::platform::current;
use serial::Terminal;

/// Writes text to the platform's console; does nothing where there is none.
///
/// The reader is whoever runs the virtual machine, so nothing that is worth
/// hiding may be printed. [`println!`](crate::println) is the way to call it.
pub fn print(text: fmt::Arguments<'_>) {
    if let Some(console) = current().console() {
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
