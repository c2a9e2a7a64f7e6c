//! Guests in the platform simulator with nobody at their console: what they
//! write is kept and logged.

use std::os::fd::OwnedFd;

use abi_simulator::report::Report;
use anyhow::{Result, bail};

use crate::log::Log;
use crate::machine::follow;
use crate::project::Project;
use crate::simulation::{End, Operator, Outcome, Request, Typed, simulate};
use crate::terminal::seconds;

/// A run that is over.
pub(crate) struct Recording {
    /// What became of it.
    pub(crate) outcome: Outcome,
    /// What the guest wrote to its console.
    pub(crate) console: String,
    /// What the simulator told meanwhile.
    pub(crate) told: Vec<String>,
}

/// Runs a guest to its end. Its console and its end also go to the log.
///
/// # Errors
///
/// There is no run to speak of, see [`simulate`]; or a signal asked this
/// program to end.
pub(crate) fn record(project: &Project, request: &Request, log: &mut Log) -> Result<Recording> {
    let mut recorder = Recorder::default();
    let outcome = simulate(project, request, &mut recorder, log.stream()?)?;
    let console = String::from_utf8_lossy(&recorder.console).into_owned();
    for text in &recorder.told {
        log.say(text.trim_end())?;
    }
    log.say(&format!("--- console\n{}\n--- end of console", console.trim_end()))?;
    log.say(&format!("run ended: {} ({})", outcome.end, seconds(outcome.took)))?;
    if let End::Interrupted(signal) = outcome.end {
        follow(signal)?;
        bail!("interrupted by {}", signal.name());
    }
    Ok(Recording { outcome, console, told: recorder.told })
}

/// Keeps what it hears.
#[derive(Default)]
struct Recorder {
    console: Vec<u8>,
    told: Vec<String>,
}

impl Operator for Recorder {
    fn keyboard(&mut self) -> Result<Option<OwnedFd>> {
        Ok(None)
    }

    fn console(&mut self, bytes: &[u8]) -> Result<()> {
        self.console.extend_from_slice(bytes);
        Ok(())
    }

    fn typed(&mut self, _keys: &[u8]) -> Result<Typed> {
        Ok(Typed::Send(Vec::new()))
    }

    fn told(&mut self, report: &Report) -> Result<()> {
        match report {
            Report::Note { text } | Report::Trace { text } => self.told.push(text.clone()),
            // They are in the outcome.
            Report::Started { .. } | Report::Statistics { .. } | Report::Ended { .. } => {}
        }
        Ok(())
    }
}
