//! What happens, a line each: names and codes, never contents.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tpm::{ResponseCode, command_name};

/// A log of commands, or none. What concerns the person who runs the device
/// also goes to the standard error stream.
pub struct Journal {
    began: Instant,
    file: Option<Mutex<File>>,
}

/// A command that has been executed.
pub(crate) struct Entry<'a> {
    /// Number of the connection it came over.
    pub(crate) connection: u64,
    pub(crate) locality: u8,
    pub(crate) command: &'a [u8],
    pub(crate) response: &'a [u8],
    pub(crate) took: Duration,
}

impl Journal {
    /// A journal that keeps nothing but warnings.
    #[must_use]
    pub fn silent() -> Self {
        Self { began: Instant::now(), file: None }
    }

    /// A journal at the end of this file, which is made if it is missing.
    ///
    /// # Errors
    ///
    /// The file cannot be opened.
    pub fn append(path: &Path) -> std::io::Result<Self> {
        let file = File::options().append(true).create(true).open(path)?;
        Ok(Self { began: Instant::now(), file: Some(Mutex::new(file)) })
    }

    /// Tells of something that a person should know.
    pub fn warn(&self, text: &str) {
        eprintln!("{text}");
        self.note(text);
    }

    /// Tells of an event.
    pub(crate) fn note(&self, text: &str) {
        let Some(file) = &self.file else { return };
        let line = format!("{:>12.6} {text}\n", self.began.elapsed().as_secs_f64());
        // One call for a line, so that lines of several threads do not mix.
        let written =
            file.lock().unwrap_or_else(PoisonError::into_inner).write_all(line.as_bytes());
        if let Err(error) = written {
            eprintln!("cannot write the log: {error}");
        }
    }

    /// Whether commands are told of.
    pub(crate) const fn is_kept(&self) -> bool {
        self.file.is_some()
    }

    /// Tells of a command.
    pub(crate) fn command(&self, entry: &Entry<'_>) {
        if self.is_kept() {
            self.note(&entry.show());
        }
    }
}

impl Entry<'_> {
    fn show(&self) -> String {
        let code = word(self.command);
        let name = match code.map(|code| (code, command_name(code))) {
            Some((_, Some(name))) => name.to_owned(),
            Some((code, None)) => format!("command {code:#x}"),
            None => "bytes that are no command".to_owned(),
        };
        let end = word(self.response)
            .map_or("no response".to_owned(), |code| ResponseCode(code).to_string());
        format!(
            "connection {} locality {}: {name} ({} bytes): {end} ({} bytes, {:.3} ms)",
            self.connection,
            self.locality,
            self.command.len(),
            self.response.len(),
            self.took.as_secs_f64() * 1e3
        )
    }
}

/// The code in a command's or response's header.
fn word(message: &[u8]) -> Option<u32> {
    message.get(6..)?.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Entry, Journal};

    #[test]
    fn a_line_has_names_and_codes_and_no_content() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let journal = Journal::append(&path).unwrap();
        let mut entry = Entry {
            connection: 7,
            locality: 3,
            command: &[0x80, 1, 0, 0, 0, 15, 0, 0, 1, 0x7B, b'S', b'E', b'C', b'R', b'T'],
            response: &[0x80, 1, 0, 0, 0, 10, 0, 0, 1, 0],
            took: Duration::from_micros(1500),
        };
        journal.command(&entry);
        entry.command = &[0x80, 1, 0, 0, 0, 10, 0xFF, 0, 0, 0];
        journal.command(&entry);
        entry.command = b"GET /";
        entry.response = b"";
        journal.command(&entry);
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().map(|line| line.trim_start()).collect();
        let [first, second, third] = lines[..] else { panic!("{text}") };
        let said = "connection 7 locality 3: GetRandom (15 bytes): INITIALIZE (10 bytes, 1.500 ms)";
        assert!(first.ends_with(said), "{first}");
        assert!(second.contains("command 0xff000000"), "{second}");
        assert!(third.contains("no command (5 bytes): no response"), "{third}");
        assert!(!text.contains("SECRT"));
    }
}
