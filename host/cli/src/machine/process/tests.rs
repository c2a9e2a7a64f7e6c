//! Tests with shell scripts in QEMU's place.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use rustix::process::{Pid, test_kill_process};
use signal_hook::consts::{SIGURG, SIGUSR2};
use signal_hook::low_level::raise;

use super::{Event, INPUT_ROOM, Machine, Side};
use crate::machine::named_pipe::NamedPipe;
use crate::machine::signals::Signals;

/// Far more than any of these takes.
const PATIENCE: Duration = Duration::from_secs(30);

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

/// Signals that nobody sends in these tests.
fn no_signals() -> Result<Signals> {
    Signals::note_only(SIGURG)
}

fn start(script: &str) -> Result<Machine> {
    Machine::start(&mut shell(script), None, None, no_signals()?)
}

/// Everything that one side says until the process ends, and its exit code.
fn heard(machine: &mut Machine, side: Side) -> Result<(String, Option<i32>)> {
    let mut text = Vec::new();
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        for event in machine.wait()? {
            match event {
                Event::Heard(from, bytes) if from == side => text.extend(bytes),
                Event::Ended(status) => return Ok((String::from_utf8(text)?, status.code())),
                Event::Heard(..) | Event::Signal(_) => {}
            }
        }
    }
    bail!("it does not end; heard {:?}", String::from_utf8_lossy(&text))
}

#[test]
fn all_that_is_written_comes_before_the_end() -> Result<()> {
    let mut machine = start("seq 1 20000; echo oops >&2; exit 7")?;
    let (text, code) = heard(&mut machine, Side::Console)?;
    assert_eq!((text.lines().count(), text.lines().next_back()), (20_000, Some("20000")));
    assert_eq!(code, Some(7));
    let mut machine = start("echo out; echo oops >&2")?;
    assert_eq!(heard(&mut machine, Side::Messages)?, ("oops\n".to_owned(), Some(0)));
    Ok(())
}

#[test]
fn the_report_is_a_side_of_its_own() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let pipe = NamedPipe::create(folder.path().join("report"))?;
    let script = format!("echo console; sleep 0.1; echo report > {}", pipe.path().display());
    let signals = no_signals()?;
    let mut machine = Machine::start(&mut shell(&script), Some(pipe.into_file()), None, signals)?;
    assert_eq!(heard(&mut machine, Side::Report)?, ("report\n".to_owned(), Some(0)));
    Ok(())
}

#[test]
fn input_arrives_however_slowly_it_is_taken() -> Result<()> {
    let lines = 40_000;
    let mut machine = start(&format!("sleep 0.2; head -n {lines} | wc -l"))?;
    // More than a pipe holds.
    for _ in 0..lines {
        machine.send(b"a line of the input\n")?;
    }
    let (text, _) = heard(&mut machine, Side::Console)?;
    assert_eq!(text.trim(), lines.to_string());
    Ok(())
}

#[test]
fn input_after_the_end_is_no_error() -> Result<()> {
    let mut machine = start("exec <&-; echo closed; sleep 0.1")?;
    let began = Instant::now();
    while machine.wait()?.is_empty() && began.elapsed() < PATIENCE {}
    machine.send(b"nobody listens")?;
    machine.send(b"nobody listens")?;
    assert_eq!(heard(&mut machine, Side::Console)?.1, Some(0));
    Ok(())
}

#[test]
fn the_keyboard_is_heard_until_too_much_waits() -> Result<()> {
    let (keyboard, mut typist) = std::io::pipe()?;
    let keyboard = Some(keyboard.into());
    let mut machine = Machine::start(&mut shell("sleep 60"), None, keyboard, no_signals()?)?;
    std::io::Write::write_all(&mut typist, b"x")?;
    let mut next = || -> Result<Vec<Event>> {
        let began = Instant::now();
        let mut events = machine.wait()?;
        while events.is_empty() && began.elapsed() < Duration::from_secs(1) {
            events = machine.wait()?;
        }
        Ok(events)
    };
    assert_eq!(next()?, [Event::Heard(Side::Keyboard, b"x".to_vec())]);
    // A pipe's 64 KiB and what may wait here.
    machine.send(&vec![b'y'; (64 << 10) + INPUT_ROOM])?;
    std::io::Write::write_all(&mut typist, b"z")?;
    for _ in 0..5 {
        assert_eq!(machine.wait()?, []);
    }
    Ok(())
}

#[test]
fn a_keyboard_that_never_rests_does_not_hide_the_end() -> Result<()> {
    let zeros = std::fs::File::open("/dev/zero")?;
    let mut machine =
        Machine::start(&mut shell("exit 5"), None, Some(zeros.into()), no_signals()?)?;
    assert_eq!(heard(&mut machine, Side::Console)?, (String::new(), Some(5)));
    Ok(())
}

#[test]
fn nothing_stays_behind() -> Result<()> {
    let machine = start("sleep 60")?;
    let pid = Pid::from_child(&machine.process);
    assert!(test_kill_process(pid).is_ok());
    drop(machine);
    assert!(test_kill_process(pid).is_err());
    Ok(())
}

#[test]
fn a_signal_is_told_and_does_not_end_us() -> Result<()> {
    let signals = Signals::note_only(SIGUSR2)?;
    let mut machine = Machine::start(&mut shell("sleep 60"), None, None, signals)?;
    raise(SIGUSR2)?;
    let began = Instant::now();
    let mut events = machine.wait()?;
    while events.is_empty() && began.elapsed() < PATIENCE {
        events = machine.wait()?;
    }
    let names: Vec<&str> = events
        .iter()
        .filter_map(|event| match event {
            Event::Signal(signal) => Some(signal.name()),
            _ => None,
        })
        .collect();
    assert_eq!(names, ["SIGUSR2"]);
    Ok(())
}

#[test]
fn a_missing_program_is_named() -> Result<()> {
    let signals = no_signals()?;
    let started = Machine::start(&mut Command::new("no-such-qemu"), None, None, signals);
    let error = started.err().map(|error| error.to_string());
    assert!(error.is_some_and(|text| text.contains("no-such-qemu")));
    Ok(())
}
