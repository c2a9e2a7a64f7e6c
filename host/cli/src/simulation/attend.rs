//! Attending a machine until its run is over.

use std::time::{Duration, Instant};

use abi_simulator::report::{self, Report};
use anyhow::Result;

use super::end::End;
use super::expectation::Expectation;
use super::lines::Lines;
use super::operator::{Operator, Typed};
use super::statistics::Statistics;
use crate::machine::{Event, Machine, Side};

/// How long a machine may go on after the simulator has said how the run ended.
const GRACE: Duration = Duration::from_secs(5);

/// How much of what QEMU wrote is kept, in bytes.
const KEPT_MESSAGES: usize = 4 << 10;

/// What was heard of a run.
#[derive(Debug)]
pub(super) struct Heard {
    /// What ended it.
    pub(super) end: End,
    /// The launch digest, if the launch came that far.
    pub(super) launch_digest: Option<String>,
    /// The last counts.
    pub(super) statistics: Option<Statistics>,
}

/// Attends `machine`, which has just been started, until it ends, `limit` is
/// over, `expect` (not empty) appears on its console, or the operator or a
/// signal ends the run. The machine may still be running then.
///
/// # Errors
///
/// The operator fails, or the machine cannot be heard.
pub(super) fn attend(
    machine: &mut Machine,
    limit: Option<Duration>,
    expect: Option<&str>,
    operator: &mut dyn Operator,
) -> Result<Heard> {
    let mut attendant = Attendant::new(expect, operator);
    let began = Instant::now();
    let end = loop {
        let events = machine.wait()?;
        if let Some(end) = attendant.hear_all(events, machine)? {
            break end;
        }
        if let Some(end) = attendant.overdue() {
            break end;
        }
        if let Some(limit) = limit.filter(|limit| began.elapsed() >= *limit) {
            break End::TimeOut(limit);
        }
    };
    let Attendant { launch_digest, statistics, .. } = attendant;
    Ok(Heard { end, launch_digest, statistics })
}

/// What is known of the run so far.
struct Attendant<'a> {
    operator: &'a mut dyn Operator,
    expectation: Option<Expectation>,
    lines: Lines,
    messages: Vec<u8>,
    launch_digest: Option<String>,
    statistics: Option<Statistics>,
    /// How the simulator says that the run ended, and when it said so.
    told: Option<(report::End, Instant)>,
}

impl<'a> Attendant<'a> {
    fn new(expect: Option<&str>, operator: &'a mut dyn Operator) -> Self {
        Self {
            operator,
            expectation: expect.map(Expectation::new),
            lines: Lines::default(),
            messages: Vec::new(),
            launch_digest: None,
            statistics: None,
            told: None,
        }
    }

    /// Takes in what has happened; what ended the run, if something did.
    fn hear_all(&mut self, events: Vec<Event>, machine: &mut Machine) -> Result<Option<End>> {
        for event in events {
            let end = match event {
                Event::Heard(Side::Console, bytes) => self.console(&bytes)?,
                Event::Heard(Side::Messages, bytes) => {
                    self.messages(&bytes);
                    None
                }
                Event::Heard(Side::Report, bytes) => {
                    self.reports(&bytes)?;
                    None
                }
                Event::Heard(Side::Keyboard, keys) => match self.operator.typed(&keys)? {
                    Typed::Send(bytes) => {
                        machine.send(&bytes)?;
                        None
                    }
                    Typed::Leave => Some(End::Left),
                },
                Event::Signal(signal) => Some(End::Interrupted(signal)),
                Event::Ended(status) => Some(match self.told.take() {
                    Some((end, _)) => End::Told(end),
                    None => {
                        let messages = String::from_utf8_lossy(&self.messages);
                        End::QemuEnded { status, messages: messages.trim().to_owned() }
                    }
                }),
            };
            if end.is_some() {
                return Ok(end);
            }
        }
        Ok(None)
    }

    fn console(&mut self, bytes: &[u8]) -> Result<Option<End>> {
        self.operator.console(bytes)?;
        let met = self.expectation.as_mut().is_some_and(|text| text.is_met_by(bytes));
        Ok(met.then_some(End::Expected))
    }

    fn messages(&mut self, bytes: &[u8]) {
        self.messages.extend_from_slice(bytes);
        self.messages.drain(..self.messages.len().saturating_sub(KEPT_MESSAGES));
    }

    fn reports(&mut self, bytes: &[u8]) -> Result<()> {
        for line in self.lines.take(bytes)? {
            // QEMU's firmware writes to the same port, before the simulator
            // runs and never such lines.
            if !line.starts_with(b"{") {
                continue;
            }
            let line = String::from_utf8_lossy(&line);
            let report = Report::from_line(&line)
                .unwrap_or_else(|error| Report::Note { text: format!("{error}: {line}") });
            self.operator.told(&report)?;
            match report {
                Report::Started { launch_digest, .. } => self.launch_digest = Some(launch_digest),
                Report::Statistics { sections } => {
                    self.statistics = Some(Statistics::new(sections));
                }
                Report::Ended { end } => self.told = Some((end, Instant::now())),
                Report::Note { .. } | Report::Trace { .. } => {}
            }
        }
        Ok(())
    }

    /// How the run ended, though the machine goes on.
    fn overdue(&self) -> Option<End> {
        let (end, when) = self.told.as_ref()?;
        (when.elapsed() >= GRACE).then(|| End::Told(end.clone()))
    }
}

#[cfg(test)]
mod tests;
