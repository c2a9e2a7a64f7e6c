//! A message's text, in a buffer of fixed size.

use core::fmt::{self, Write};

/// Most bytes of a message's text, with the mark of a cut.
pub const LINE_SIZE: usize = 240;

/// Stands at the end of a text that was cut.
const CUT_MARK: &str = "…";

/// What a control character becomes.
const DEFUSED: char = '\u{fffd}';

/// The text of one message, UTF-8 without control characters.
pub(crate) struct Line {
    bytes: [u8; LINE_SIZE],
    size: usize,
    cut: bool,
}

impl Line {
    /// Formats `text`; cuts what does not fit and says so by a mark.
    pub(crate) fn format(text: fmt::Arguments<'_>) -> Self {
        let mut line = Self { bytes: [0; LINE_SIZE], size: 0, cut: false };
        // An error says that the line is full, or comes from a `Display` that
        // reports one by itself; the line ends there in both cases.
        if line.write_fmt(text).is_err() {
            line.cut = true;
        }
        if line.cut {
            // There is always room: see `write_char`.
            line.append(CUT_MARK.as_bytes());
        }
        line
    }

    /// The text.
    pub(crate) fn as_str(&self) -> &str {
        let text = core::str::from_utf8(self.bytes.get(..self.size).unwrap_or_default());
        text.unwrap_or_else(|_| unreachable!("only whole characters were appended"))
    }

    fn append(&mut self, text: &[u8]) {
        let end = self.size.saturating_add(text.len());
        if let Some(room) = self.bytes.get_mut(self.size..end) {
            room.copy_from_slice(text);
            self.size = end;
        }
    }
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.chars().try_for_each(|c| self.write_char(c))
    }

    fn write_char(&mut self, c: char) -> fmt::Result {
        let c = if c.is_control() { DEFUSED } else { c };
        let room = LINE_SIZE - CUT_MARK.len();
        if self.size + c.len_utf8() > room {
            return Err(fmt::Error);
        }
        self.append(c.encode_utf8(&mut [0; 4]).as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::String;

    use proptest::prelude::*;

    use super::*;

    fn text(of: &str) -> String {
        String::from(Line::format(format_args!("{of}")).as_str())
    }

    #[test]
    fn control_characters_cannot_forge_a_line() {
        assert_eq!(text("a\r\n[0.0] b\u{1b}[2J"), "a\u{fffd}\u{fffd}[0.0] b\u{fffd}[2J");
    }

    #[test]
    fn failing_display_is_marked() {
        struct Failing;
        impl fmt::Display for Failing {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("half")?;
                Err(fmt::Error)
            }
        }
        assert_eq!(Line::format(format_args!("{Failing} gone")).as_str(), "half…");
    }

    proptest! {
        #[test]
        fn short_text_stays_and_long_text_is_cut_with_a_mark(original in "\\PC{0,300}") {
            let written = text(&original);
            prop_assert!(written.len() <= LINE_SIZE);
            if original.len() <= LINE_SIZE - CUT_MARK.len() {
                prop_assert_eq!(written, original);
            } else {
                let kept = written.strip_suffix(CUT_MARK).unwrap();
                prop_assert!(original.starts_with(kept));
                prop_assert!(kept.len() > LINE_SIZE - CUT_MARK.len() - 4);
            }
        }
    }
}
