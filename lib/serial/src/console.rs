//! Text output, one byte at a time.
//!
//! [`Console`] is what a platform offers; [`Terminal`] turns Rust's formatting
//! into bytes for it. Nothing is buffered and nothing is locked: where several
//! processors write, their lines mix unless they agree on an order.

use core::fmt;

/// Where bytes for a person to read go.
pub trait Console {
    /// Sends one byte. Takes bounded time; a byte that the device does not
    /// accept within it is lost.
    fn write_byte(&self, byte: u8);
}

/// Writes text to a console: lines end in carriage return and line feed, and
/// whatever is not printable ASCII becomes a question mark, so that no name
/// from an image can steer the reader's terminal.
pub struct Terminal<'a>(
    /// Where the bytes go.
    pub &'a dyn Console,
);

impl fmt::Write for Terminal<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            match character {
                '\n' => {
                    self.0.write_byte(b'\r');
                    self.0.write_byte(b'\n');
                }
                ' '..='~' => self.0.write_byte(character as u8),
                _ => self.0.write_byte(b'?'),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use core::cell::RefCell;
    use core::fmt::Write;
    use std::vec::Vec;

    use super::*;

    #[derive(Default)]
    struct Recorder(RefCell<Vec<u8>>);

    impl Console for Recorder {
        fn write_byte(&self, byte: u8) {
            self.0.borrow_mut().push(byte);
        }
    }

    #[test]
    fn ends_lines_and_replaces_what_is_not_printable() {
        let recorder = Recorder::default();
        assert!(write!(Terminal(&recorder), "a b~\n\n\x1b[2Jé{}\t\x7f\n", 7).is_ok());
        assert_eq!(recorder.0.take(), b"a b~\r\n\r\n?[2J?7??\r\n");
    }
}
