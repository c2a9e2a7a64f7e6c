//! What is found, compared with what there should be.

use std::fmt::Debug;

use anyhow::Result;

use crate::jobs::Counts;
use crate::log::Log;

/// Counts comparisons and tells about those that fail.
pub(super) struct Checks<'a> {
    log: &'a mut Log,
    counts: Counts,
}

impl<'a> Checks<'a> {
    /// Nothing has been compared yet.
    pub(super) fn new(log: &'a mut Log) -> Self {
        Self { log, counts: Counts::default() }
    }

    /// The log, for what belongs between the comparisons.
    pub(super) fn log(&mut self) -> &mut Log {
        self.log
    }

    /// Compares `found` with `expected`.
    ///
    /// # Errors
    ///
    /// The log cannot be written.
    pub(super) fn same<T: Debug + PartialEq + ?Sized>(
        &mut self,
        what: &str,
        found: &T,
        expected: &T,
    ) -> Result<()> {
        if found == expected {
            self.counts.passed += 1;
            return Ok(());
        }
        self.counts.failed += 1;
        let [expected, found] = [expected, found].map(excerpt);
        self.log.say(&format!("FAILED: {what}\n  expected {expected}\n  found    {found}"))
    }

    /// All comparisons so far.
    pub(super) fn counts(&self) -> Counts {
        self.counts
    }
}

/// The beginning of a value, as a developer writes it.
fn excerpt<T: Debug + ?Sized>(value: &T) -> String {
    /// Enough to see what it is.
    const LONGEST: usize = 500;
    let text = format!("{value:?}");
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// What a guest says about `subject` in a line `subject: text` of its console;
/// nothing if there is no such line.
pub(super) fn told<'a>(console: &'a str, subject: &str) -> &'a str {
    let text = |line: &'a str| line.strip_prefix(subject)?.strip_prefix(':').map(str::trim);
    console.lines().find_map(text).unwrap_or_default()
}

/// What a guest tells about `subject` in hexadecimal digits, two for each byte;
/// `None` if it tells something else, no bytes if it tells nothing.
pub(super) fn told_bytes(console: &str, subject: &str) -> Option<Vec<u8>> {
    let digit =
        |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let (pairs, []) = told(console, subject).as_bytes().as_chunks::<2>() else { return None };
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::{Checks, told, told_bytes};
    use crate::jobs::Counts;
    use crate::log::Log;

    #[test]
    fn differences_are_told() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let mut log = Log::create(folder.path().join("log"))?;
        let mut checks = Checks::new(&mut log);
        checks.same("colour", "red", "red")?;
        checks.same("processors", &1, &4)?;
        assert_eq!(checks.counts(), Counts { passed: 1, failed: 1, skipped: 0 });
        let text = log.text()?;
        assert!(text.contains("processors") && text.contains("expected 4"), "{text}");
        assert!(!text.contains("colour"), "{text}");
        Checks::new(&mut log).same("long", "é".repeat(9999).as_str(), "short")?;
        assert!(log.text()?.len() < 2000);
        Ok(())
    }

    #[test]
    fn subjects_are_whole() {
        let console = "noise\r\nprocessors: 4 \r\nprocess: x\r\nempty:\r\n";
        assert_eq!(told(console, "processors"), "4");
        assert_eq!(told(console, "process"), "x");
        assert_eq!(told(console, "empty"), "");
        assert_eq!(told(console, "absent"), "");
    }
    #[test]
    fn digits_come_in_pairs() {
        let told = |digits: &str| told_bytes(&format!("bytes: {digits}\r\n"), "bytes");
        assert_eq!(told("00ff1A"), Some(vec![0, 0xff, 0x1a]));
        assert_eq!(told(""), Some(vec![]));
        for wrong in ["0", "000", "0g", "+1", "é"] {
            assert_eq!(told(wrong), None, "{wrong}");
        }
    }
}
