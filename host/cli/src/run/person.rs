//! The person, or the program, that this command talks to: the guest's
//! console, and what the simulator says about the run.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::{AsFd, OwnedFd};

use abi_simulator::report::Report;
use anyhow::{Context, Result};
use svsm_initrd::console::exit_status_of;

use super::keys::{HELP, Keys, Meaning};
use super::raw_terminal::RawTerminal;
use super::values::Serial;
use crate::simulation::{Operator, Typed};
use crate::terminal::{Terminal, Tone};

/// Whoever started the command.
pub(super) struct Person {
    console: Console,
    terminal: Terminal,
    /// Keys that are not for the guest, if a person types.
    keys: Option<Keys>,
    raw: Option<RawTerminal>,
    /// The end of what the console showed.
    heard: Vec<u8>,
}

/// How much of the end is kept, in bytes: far more than the last lines of a
/// guest that switches itself off.
const KEPT: usize = 16 << 10;

/// Where the console's bytes go.
enum Console {
    Stdout {
        /// Whether a line has begun that shares the screen with our own.
        within_line: bool,
    },
    File(File),
    Nowhere,
}

impl Person {
    /// With the guest's console at `serial`.
    ///
    /// # Errors
    ///
    /// The file for the console cannot be created.
    pub(super) fn new(serial: &Serial, terminal: Terminal) -> Result<Self> {
        let console = match serial {
            Serial::Stdio => Console::Stdout { within_line: false },
            Serial::None => Console::Nowhere,
            Serial::File(path) => Console::File(
                File::create(path).with_context(|| format!("cannot create {}", path.display()))?,
            ),
        };
        Ok(Self { console, terminal, keys: None, raw: None, heard: Vec::new() })
    }

    /// How `script`, which ran in the guest, ended, if it did.
    pub(super) fn exit_status_of(&self, script: &str) -> Option<u8> {
        exit_status_of(script, &String::from_utf8_lossy(&self.heard))
    }

    /// Gives the terminal back, with the cursor at the start of a line.
    pub(super) fn leave(mut self) -> Result<()> {
        self.raw = None;
        self.start_line()
    }

    /// Writes a line beside the console.
    fn say(&mut self, line: &str) -> Result<()> {
        self.start_line()?;
        writeln!(io::stderr(), "{line}").context("cannot write a message")
    }

    fn start_line(&mut self) -> Result<()> {
        if let Console::Stdout { within_line: within_line @ true } = &mut self.console {
            writeln!(io::stderr()).context("cannot write a message")?;
            *within_line = false;
        }
        Ok(())
    }
}

impl Operator for Person {
    fn keyboard(&mut self) -> Result<Option<OwnedFd>> {
        if !matches!(self.console, Console::Stdout { .. }) {
            return Ok(None);
        }
        let stdin = io::stdin();
        let keyboard = || stdin.as_fd().try_clone_to_owned().context("cannot share the keyboard");
        if stdin.is_terminal() {
            let hint = "Ctrl-A x ends the run, Ctrl-A h says what else there is";
            self.say(&self.terminal.paint_error(Tone::Quiet, hint))?;
            self.raw = Some(RawTerminal::enter(keyboard()?)?);
            self.keys = Some(Keys::default());
        }
        keyboard().map(Some)
    }

    fn console(&mut self, bytes: &[u8]) -> Result<()> {
        self.heard.extend_from_slice(bytes);
        self.heard.drain(..self.heard.len().saturating_sub(KEPT));
        match &mut self.console {
            Console::Stdout { within_line } => {
                let mut stdout = io::stdout().lock();
                stdout.write_all(bytes)?;
                stdout.flush()?;
                let shared = stdout.is_terminal() && io::stderr().is_terminal();
                *within_line = shared && !bytes.ends_with(b"\n");
                Ok(())
            }
            Console::File(file) => file.write_all(bytes).context("cannot write the console's file"),
            Console::Nowhere => Ok(()),
        }
    }

    fn typed(&mut self, typed: &[u8]) -> Result<Typed> {
        let Some(keys) = &mut self.keys else { return Ok(Typed::Send(typed.to_vec())) };
        let mut bytes = Vec::new();
        let mut help = false;
        for key in typed {
            match keys.press(*key) {
                Some(Meaning::Send(byte)) => bytes.push(byte),
                Some(Meaning::Help) => help = true,
                Some(Meaning::Leave) => return Ok(Typed::Leave),
                None => {}
            }
        }
        if help {
            self.say(HELP.trim_end())?;
        }
        Ok(Typed::Send(bytes))
    }

    fn told(&mut self, report: &Report) -> Result<()> {
        match report {
            Report::Started { launch_digest, .. } => {
                let line = format!("launch digest {launch_digest}");
                self.say(&self.terminal.paint_error(Tone::Quiet, &line))
            }
            Report::Note { text } => {
                self.say(&self.terminal.paint_error(Tone::Notable, &format!("note: {text}")))
            }
            Report::Trace { text } => self.say(text),
            // They stand in the outcome.
            Report::Statistics { .. } | Report::Ended { .. } => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Person;
    use crate::run::keys::Keys;
    use crate::run::values::Serial;
    use crate::simulation::{Operator, Typed};
    use crate::terminal::Terminal;

    fn person(serial: &Serial) -> anyhow::Result<Person> {
        Person::new(serial, Terminal::plain())
    }

    #[test]
    fn a_file_takes_the_console() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("console");
        let mut person = person(&Serial::File(path.clone()))?;
        person.console(b"one ")?;
        person.console(b"\xfftwo\n")?;
        assert!(person.keyboard()?.is_none());
        person.leave()?;
        assert_eq!(std::fs::read(path)?, b"one \xfftwo\n");
        Ok(())
    }

    #[test]
    fn the_script_s_status_is_found_at_the_end() -> anyhow::Result<()> {
        let mut person = person(&Serial::None)?;
        assert_eq!(person.exit_status_of("exit 3"), None);
        person.console(&[b'x'; 40_000])?;
        person.console(b"\nsvsm-guest: exit status 3 (")?;
        person.console(format!("{})\r\n", svsm_initrd::console::mark("exit 3")).as_bytes())?;
        assert_eq!(person.exit_status_of("exit 3"), Some(3));
        assert_eq!(person.exit_status_of("exit 4"), None);
        Ok(())
    }

    #[test]
    fn a_file_that_cannot_be_is_named() {
        let error = person(&Serial::File("/no/such/folder/console".into())).err();
        assert!(error.is_some_and(|error| error.to_string().contains("/no/such/folder/console")));
    }

    #[test]
    fn commands_are_for_people_only() -> anyhow::Result<()> {
        let mut person = person(&Serial::None)?;
        assert_eq!(person.typed(b"\x01x")?, Typed::Send(b"\x01x".to_vec()));
        person.keys = Some(Keys::default());
        assert_eq!(person.typed(b"ab\x01")?, Typed::Send(b"ab".to_vec()));
        assert_eq!(person.typed(b"\x01")?, Typed::Send(b"\x01".to_vec()));
        assert_eq!(person.typed(b"\x01x")?, Typed::Leave);
        Ok(())
    }
}
