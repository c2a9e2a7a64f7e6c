//! Tests with shell scripts in the machine's place.

use std::io::Write;
use std::os::fd::OwnedFd;
use std::process::Command;
use std::time::{Duration, Instant};

use abi_simulator::report::{End as Told, Report, Row, Section};
use anyhow::{Result, bail};

use super::{GRACE, Heard, attend};
use crate::machine::{Machine, NamedPipe, Signals};
use crate::simulation::end::End;
use crate::simulation::operator::{Operator, Typed};
use crate::simulation::statistics::Statistics;

/// Writes everything down, and types what comes through a pipe. `q` leaves.
#[derive(Default)]
struct Recorder {
    console: String,
    reports: Vec<Report>,
    keyboard: Option<OwnedFd>,
}

impl Operator for Recorder {
    fn keyboard(&mut self) -> Result<Option<OwnedFd>> {
        Ok(self.keyboard.take())
    }

    fn console(&mut self, bytes: &[u8]) -> Result<()> {
        let text = String::from_utf8(bytes.to_vec())?;
        if text.contains("refuse this") {
            bail!("refused");
        }
        self.console.push_str(&text);
        Ok(())
    }

    fn typed(&mut self, keys: &[u8]) -> Result<Typed> {
        Ok(if keys.contains(&b'q') { Typed::Leave } else { Typed::Send(keys.to_vec()) })
    }

    fn told(&mut self, report: &Report) -> Result<()> {
        self.reports.push(report.clone());
        Ok(())
    }
}

/// A machine that runs `script`, whose argument is the pipe for reports.
fn machine(script: &str, operator: &mut Recorder) -> Result<(Machine, tempfile::TempDir)> {
    let folder = tempfile::tempdir()?;
    let pipe = NamedPipe::create(folder.path().join("report"))?;
    let mut shell = Command::new("sh");
    shell.args(["-c", script, "sh"]).arg(pipe.path());
    let (report, keyboard) = (Some(pipe.into_file()), operator.keyboard()?);
    Ok((Machine::start(&mut shell, report, keyboard, Signals::note()?)?, folder))
}

/// Attends `script` for at most 30 s.
fn attended(script: &str, expect: Option<&str>, operator: &mut Recorder) -> Result<Heard> {
    let (mut machine, _folder) = machine(script, operator)?;
    attend(&mut machine, Some(Duration::from_secs(30)), expect, operator)
}

/// A script that writes reports.
fn telling(reports: &[Report]) -> String {
    let lines: String = reports.iter().map(Report::to_line).collect();
    format!("cat > $1 <<'END'\n{lines}END\n")
}

fn statistics(count: u64) -> Report {
    let rows = vec![Row { name: "CPUID".to_owned(), count }];
    Report::Statistics { sections: vec![Section { name: "exits".to_owned(), rows }] }
}

#[test]
fn the_simulator_says_how_it_ended() -> Result<()> {
    let started =
        Report::Started { simulator: "1".to_owned(), launch_digest: "abcd".to_owned(), vcpus: 1 };
    let reports = [started, statistics(1), statistics(2), Report::Ended { end: Told::PoweredOff }];
    let mut operator = Recorder::default();
    // What the console says last comes after the end was told.
    let script = format!("{}sleep 0.2; echo bye; exit 33", telling(&reports));
    let heard = attended(&script, None, &mut operator)?;
    assert_eq!(heard.end, End::Told(Told::PoweredOff));
    assert_eq!(heard.launch_digest.as_deref(), Some("abcd"));
    let Report::Statistics { sections } = statistics(2) else { bail!("no statistics") };
    assert_eq!(heard.statistics, Some(Statistics::new(sections)));
    assert_eq!((operator.reports.as_slice(), operator.console.as_str()), (&reports[..], "bye\n"));
    Ok(())
}

#[test]
fn a_machine_that_does_not_end_after_its_end_is_left() -> Result<()> {
    let script = format!("{}sleep 60", telling(&[Report::Ended { end: Told::Stalled }]));
    let began = Instant::now();
    let heard = attended(&script, None, &mut Recorder::default())?;
    assert_eq!(heard.end, End::Told(Told::Stalled));
    assert!(began.elapsed() >= GRACE);
    Ok(())
}

#[test]
fn qemu_s_own_death_is_told_with_its_last_words() -> Result<()> {
    let script = "seq 1 9999 >&2; echo 'no such device' >&2; exit 1";
    let End::QemuEnded { status, messages } = attended(script, None, &mut Recorder::default())?.end
    else {
        bail!("it ended otherwise");
    };
    assert_eq!(status.code(), Some(1));
    assert!(messages.ends_with("9999\nno such device") && messages.len() < 5000, "{messages}");
    Ok(())
}

#[test]
fn an_expected_text_ends_the_run() -> Result<()> {
    let mut operator = Recorder::default();
    let script = "printf log; sleep 0.2; printf 'in: '; sleep 60";
    let heard = attended(script, Some("login:"), &mut operator)?;
    assert_eq!(heard.end, End::Expected);
    assert_eq!(operator.console, "login: ");
    Ok(())
}

#[test]
fn an_expected_text_may_be_the_last_word() -> Result<()> {
    let heard = attended("printf login:", Some("login:"), &mut Recorder::default())?;
    assert_eq!(heard.end, End::Expected);
    let heard = attended("printf login", Some("login:"), &mut Recorder::default())?;
    assert!(matches!(heard.end, End::QemuEnded { .. }));
    Ok(())
}

#[test]
fn time_is_up() -> Result<()> {
    let limit = Duration::from_millis(300);
    let mut operator = Recorder::default();
    let (mut machine, _folder) = machine("while :; do echo busy; sleep 0.01; done", &mut operator)?;
    let heard = attend(&mut machine, Some(limit), None, &mut operator)?;
    assert_eq!(heard.end, End::TimeOut(limit));
    assert!(operator.console.starts_with("busy\n"));
    Ok(())
}

#[test]
fn what_is_typed_arrives() -> Result<()> {
    let (keyboard, mut typist) = std::io::pipe()?;
    let mut operator = Recorder { keyboard: Some(keyboard.into()), ..Recorder::default() };
    typist.write_all(b"some words\n")?;
    let heard = attended("read line; echo $line; exit 1", Some("some words"), &mut operator)?;
    assert_eq!(heard.end, End::Expected);
    Ok(())
}

#[test]
fn the_operator_can_leave() -> Result<()> {
    let (keyboard, mut typist) = std::io::pipe()?;
    let mut operator = Recorder { keyboard: Some(keyboard.into()), ..Recorder::default() };
    typist.write_all(b"q")?;
    assert_eq!(attended("sleep 60", None, &mut operator)?.end, End::Left);
    Ok(())
}

#[test]
fn an_operator_that_fails_ends_the_run() {
    let error = attended("echo refuse this; sleep 60", None, &mut Recorder::default());
    assert!(error.is_err_and(|error| error.to_string() == "refused"));
}

#[test]
fn lines_that_are_no_reports() -> Result<()> {
    let end = Report::Ended { end: Told::PoweredOff };
    // Opened once, as QEMU does: with its last writer gone the pipe is at its end.
    let script = format!(
        "exec 3> $1\n\
         printf 'SeaBIOS (version 1)\\r\\n{{\"report\":\"unheard of\"}}\\n' >&3\n\
         cat >&3 <<'END'\n{}END\n",
        end.to_line()
    );
    let mut operator = Recorder::default();
    assert_eq!(attended(&script, None, &mut operator)?.end, End::Told(Told::PoweredOff));
    let [Report::Note { text }, last] = operator.reports.as_slice() else {
        bail!("{:?}", operator.reports);
    };
    assert!(text.contains("unheard of"), "{text}");
    assert_eq!(last, &end);
    Ok(())
}
