//! Text output.
//!
//! [`Console`] is what a platform offers; [`Terminal`] turns Rust's formatting
//! into bytes for it, line by line. Nothing is locked: where several processors
//! write, their lines mix unless they agree on an order.

use core::fmt;

/// Where bytes for a person to read go.
pub trait Console {
    /// Sends bytes. Takes bounded time; what the device does not accept within
    /// it is lost.
    fn write(&self, bytes: &[u8]);
}

/// Bytes that a [`Terminal`] collects: more than most lines have.
const CAPACITY: usize = 128;

/// Writes text to a console: lines end in carriage return and line feed, and
/// whatever is not printable ASCII becomes a question mark, so that no name
/// from an image can steer the reader's terminal.
///
/// A console may be costly to reach, so bytes are collected until a line ends,
/// the room is used up or the terminal is dropped.
pub struct Terminal<'a> {
    console: &'a dyn Console,
    bytes: [u8; CAPACITY],
    used: usize,
}

impl<'a> Terminal<'a> {
    /// A terminal that writes to `console`.
    #[must_use]
    pub const fn new(console: &'a dyn Console) -> Self {
        Self { console, bytes: [0; CAPACITY], used: 0 }
    }

    fn push(&mut self, byte: u8) {
        if self.used == CAPACITY {
            self.flush();
        }
        if let Some(free) = self.bytes.get_mut(self.used) {
            *free = byte;
            self.used += 1;
        }
    }

    fn flush(&mut self) {
        if let Some(bytes) = self.bytes.get(..self.used)
            && !bytes.is_empty()
        {
            self.console.write(bytes);
        }
        self.used = 0;
    }
}

impl Drop for Terminal<'_> {
    fn drop(&mut self) {
        self.flush();
    }
}

impl fmt::Write for Terminal<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            match character {
                '\n' => {
                    self.push(b'\r');
                    self.push(b'\n');
                    self.flush();
                }
                ' '..='~' => self.push(character as u8),
                _ => self.push(b'?'),
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
    use std::string::String;
    use std::vec::Vec;

    use super::*;

    #[derive(Default)]
    struct Recorder(RefCell<Vec<Vec<u8>>>);

    impl Console for Recorder {
        fn write(&self, bytes: &[u8]) {
            self.0.borrow_mut().push(bytes.to_vec());
        }
    }

    #[test]
    fn ends_lines_and_replaces_what_is_not_printable() {
        let recorder = Recorder::default();
        assert!(write!(Terminal::new(&recorder), "a b~\n\n\x1b[2Jé{}\t\x7f\n", 7).is_ok());
        assert_eq!(recorder.0.take().concat(), b"a b~\r\n\r\n?[2J?7??\r\n");
    }

    #[test]
    fn a_line_is_written_at_once() {
        let recorder = Recorder::default();
        let mut terminal = Terminal::new(&recorder);
        assert!(write!(terminal, "{}, {}\nrest", 1, 2).is_ok());
        assert_eq!(*recorder.0.borrow(), [b"1, 2\r\n"]);
        drop(terminal);
        assert_eq!(recorder.0.take(), [&b"1, 2\r\n"[..], b"rest"]);
    }

    #[test]
    fn a_long_line_comes_in_pieces() {
        let recorder = Recorder::default();
        let text: String = ('a'..='z').cycle().take(2 * CAPACITY + 1).collect();
        assert!(write!(Terminal::new(&recorder), "{text}").is_ok());
        let pieces = recorder.0.take();
        assert_eq!(pieces.concat(), text.as_bytes());
        assert_eq!(pieces.len(), 3);
    }
}
