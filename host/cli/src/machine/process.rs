//! The process of a machine, and what is heard from it.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::{Errno, read, write};

use super::signals::{Signal, Signals};

/// Longest time that [`Machine::wait`] waits.
const TICK: Duration = Duration::from_millis(20);

/// Most bytes of one event.
const CHUNK: usize = 16 << 10;

/// Bytes for the console that may wait for the machine before no more are taken
/// from the keyboard.
const INPUT_ROOM: usize = 4 << 10;

/// What has happened.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// Bytes came from one of the sides.
    Heard(Side, Vec<u8>),
    /// A signal asks this program to end.
    Signal(Signal),
    /// The process has ended and all that it wrote has been heard. Nothing
    /// comes after this.
    Ended(ExitStatus),
}

/// Where bytes come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// The machine's first serial port.
    Console,
    /// QEMU itself: its error stream.
    Messages,
    /// A pipe that the machine was given for what is not for the console.
    Report,
    /// The person at the console.
    Keyboard,
}

/// A running machine. It is ended when this is dropped.
pub(crate) struct Machine {
    process: Child,
    streams: Vec<(Side, OwnedFd)>,
    input: Option<Input>,
    signals: Signals,
}

/// The console's input, which never makes the writer wait.
struct Input {
    pipe: ChildStdin,
    waiting: Vec<u8>,
}

impl Machine {
    /// Starts `qemu`. `report` is heard as [`Side::Report`] and `keyboard` as
    /// [`Side::Keyboard`]; what it says goes nowhere by itself, see
    /// [`Machine::send`].
    ///
    /// # Errors
    ///
    /// The program cannot be started.
    pub(crate) fn start(
        qemu: &mut Command,
        report: Option<File>,
        keyboard: Option<OwnedFd>,
        signals: Signals,
    ) -> Result<Self> {
        qemu.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // In a process group of its own no signal from the keyboard ends it
        // before this program knows why.
        let mut process = qemu
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {}", qemu.get_program().display()))?;
        let mut streams = Vec::new();
        streams.extend(process.stdout.take().map(|pipe| (Side::Console, pipe.into())));
        streams.extend(process.stderr.take().map(|pipe| (Side::Messages, pipe.into())));
        streams.extend(report.map(|file| (Side::Report, file.into())));
        streams.extend(keyboard.map(|keyboard| (Side::Keyboard, keyboard)));
        let stdin = process.stdin.take();
        let mut machine = Self { process, streams, input: None, signals };
        // From here on the process is ended if anything fails.
        machine.input = stdin.map(Input::new).transpose()?;
        Ok(machine)
    }

    /// Waits a moment, at most 20 ms, and tells what has happened meanwhile.
    ///
    /// # Errors
    ///
    /// The operating system fails to answer.
    pub(crate) fn wait(&mut self) -> Result<Vec<Event>> {
        let ended = self.process.try_wait().context("cannot wait for QEMU")?;
        if ended.is_some() {
            // What is still typed is for nobody, and might never end.
            self.streams.retain(|(side, _)| *side != Side::Keyboard);
        }
        let patience = if ended.is_some() { Duration::ZERO } else { TICK };
        let ready = self.poll(patience)?;
        let mut events = Vec::new();
        for side in ready.sides {
            events.extend(self.hear(side)?.map(|bytes| Event::Heard(side, bytes)));
        }
        if ready.input {
            self.send(&[])?;
        }
        events.extend(self.signals.next().map(Event::Signal));
        if let (Some(status), true) = (ended, events.is_empty()) {
            events.push(Event::Ended(status));
        }
        Ok(events)
    }

    /// Sends bytes to the console, as soon as the machine takes them.
    ///
    /// # Errors
    ///
    /// The operating system refuses. A machine that has ended is no error.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> Result<()> {
        let Some(input) = &mut self.input else { return Ok(()) };
        input.waiting.extend_from_slice(bytes);
        match input.flush() {
            Ok(()) => Ok(()),
            Err(Errno::PIPE) => {
                self.input = None;
                Ok(())
            }
            Err(error) => Err(error).context("cannot write to QEMU"),
        }
    }

    /// Which streams can be read or written now, after at most `patience`.
    fn poll(&self, patience: Duration) -> Result<Ready> {
        let waiting = self.input.as_ref().map_or(0, |input| input.waiting.len());
        let listened = |side: Side| side != Side::Keyboard || waiting < INPUT_ROOM;
        let sides: Vec<Side> =
            self.streams.iter().map(|(side, _)| *side).filter(|side| listened(*side)).collect();
        let mut polled: Vec<PollFd<'_>> = self
            .streams
            .iter()
            .filter(|(side, _)| listened(*side))
            .map(|(_, stream)| PollFd::new(stream, PollFlags::IN))
            .collect();
        let input = self.input.as_ref().filter(|_| waiting > 0);
        polled.extend(input.map(|input| PollFd::new(&input.pipe, PollFlags::OUT)));
        let signals = self.signals.readable();
        polled.push(PollFd::new(&signals, PollFlags::IN));

        let patience = Timespec { tv_sec: 0, tv_nsec: patience.subsec_nanos().into() };
        match poll(&mut polled, Some(&patience)) {
            // A signal; what is ready is seen the next time.
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error).context("cannot wait for QEMU"),
        }
        let happened: Vec<bool> = polled.iter().map(|one| !one.revents().is_empty()).collect();
        let (streams, rest) = happened.split_at(sides.len());
        let sides = sides.iter().zip(streams).filter(|(_, ready)| **ready);
        Ok(Ready {
            sides: sides.map(|(side, _)| *side).collect(),
            input: input.is_some() && rest.first().is_some_and(|ready| *ready),
        })
    }

    /// Reads what has come from a side; nothing and never again if it has
    /// closed.
    fn hear(&mut self, side: Side) -> Result<Option<Vec<u8>>> {
        let Some(place) = self.streams.iter().position(|(other, _)| *other == side) else {
            return Ok(None);
        };
        let mut bytes = vec![0; CHUNK];
        match read(&self.streams[place].1, bytes.as_mut_slice()) {
            // A terminal that is gone gives an input/output error.
            Ok(0) | Err(Errno::IO) => {
                self.streams.remove(place);
                Ok(None)
            }
            Ok(length) => {
                bytes.truncate(length);
                Ok(Some(bytes))
            }
            Err(Errno::AGAIN | Errno::INTR) => Ok(None),
            Err(error) => Err(error).context("cannot read what QEMU writes"),
        }
    }
}

/// What [`Machine::poll`] found.
struct Ready {
    sides: Vec<Side>,
    /// Whether the console's input takes bytes again.
    input: bool,
}

impl Input {
    fn new(pipe: ChildStdin) -> Result<Self> {
        let flags =
            fcntl_getfl(&pipe).and_then(|flags| fcntl_setfl(&pipe, flags | OFlags::NONBLOCK));
        flags.context("cannot prepare the console's input")?;
        Ok(Self { pipe, waiting: Vec::new() })
    }

    /// Writes as much as the pipe takes.
    fn flush(&mut self) -> Result<(), Errno> {
        while !self.waiting.is_empty() {
            match write(&self.pipe, &self.waiting) {
                Ok(length) => drop(self.waiting.drain(..length)),
                Err(Errno::AGAIN) => break,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // If it cannot be ended there is nothing else to try, and if it ended
        // by itself both succeed.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[cfg(test)]
mod tests;
