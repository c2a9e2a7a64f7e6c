//! Machines for tests: run to their end, with the console in the log.

use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::jobs::Counts;
use crate::log::Log;
use crate::machine::{Event, Machine, Side, Signals, follow};
use crate::process;

/// Far more than any test takes on a slow machine without hardware support.
const TIMEOUT: Duration = Duration::from_secs(60);

/// How a machine ended.
pub(super) struct End {
    /// QEMU's exit status.
    pub(super) status: ExitStatus,
    /// What was written to the first serial port.
    pub(super) console: String,
}

/// Runs a machine to its end. What it writes also goes to the log.
///
/// # Errors
///
/// QEMU does not start, or the machine does not end in time.
pub(super) fn run_to_end(qemu: &mut Command, log: &mut Log) -> Result<End> {
    log.say(&format!("$ {}", process::show(qemu)))?;
    let machine = Machine::start(qemu, None, None, Signals::note()?)?;
    let mut heard = Heard::default();
    let ended = listen(machine, TIMEOUT, &mut heard);
    let [console, messages] =
        [heard.console, heard.messages].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    log.say(&format!("--- console\n{}\n--- end of console", console.trim_end()))?;
    if !messages.is_empty() {
        log.say(messages.trim_end())?;
    }
    Ok(End { status: ended?, console })
}

/// Counts what the console had to show, and tells about what is missing there.
///
/// # Errors
///
/// The log cannot be written.
pub(super) fn count_found(expected: Vec<(String, bool)>, log: &mut Log) -> Result<Counts> {
    let mut counts = Counts::default();
    for (what, found) in expected {
        if found {
            counts.passed += 1;
        } else {
            counts.failed += 1;
            log.say(&format!("missing on the console: {what}"))?;
        }
    }
    Ok(counts)
}

/// What a machine wrote.
#[derive(Default)]
struct Heard {
    console: Vec<u8>,
    messages: Vec<u8>,
}

/// Listens to a machine until it ends, and ends it when its time is up.
fn listen(mut machine: Machine, limit: Duration, heard: &mut Heard) -> Result<ExitStatus> {
    let began = Instant::now();
    while began.elapsed() < limit {
        for event in machine.wait()? {
            match event {
                Event::Heard(Side::Console, bytes) => heard.console.extend(bytes),
                Event::Heard(Side::Messages, bytes) => heard.messages.extend(bytes),
                // This machine was given neither.
                Event::Heard(Side::Report | Side::Keyboard, _) => {}
                Event::Signal(signal) => {
                    drop(machine);
                    follow(signal)?;
                    bail!("interrupted by {}", signal.name());
                }
                Event::Ended(status) => return Ok(status),
            }
        }
    }
    bail!("the machine was still running after {} s", limit.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::time::Duration;

    use super::{Heard, listen, run_to_end};
    use crate::log::Log;
    use crate::machine::{Machine, Signals};

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_machine_that_hangs_is_ended() -> anyhow::Result<()> {
        let machine =
            Machine::start(&mut shell("echo begun; sleep 60"), None, None, Signals::note()?)?;
        let mut heard = Heard::default();
        let error = listen(machine, Duration::from_millis(500), &mut heard);
        assert!(error.is_err_and(|error| error.to_string().contains("after 0.5 s")));
        assert_eq!(heard.console, b"begun\n");
        Ok(())
    }

    #[test]
    fn what_it_writes_is_kept_and_logged() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let mut log = Log::create(folder.path().join("log"))?;
        let end = run_to_end(&mut shell("echo hello; echo trouble >&2; exit 3"), &mut log)?;
        assert_eq!((end.console.as_str(), end.status.code()), ("hello\n", Some(3)));
        let log = log.text()?;
        assert!(log.contains("--- console\nhello\n---") && log.ends_with("trouble\n"), "{log}");
        Ok(())
    }
}
