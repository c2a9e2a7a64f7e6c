//! Carrying steps out: look, lock, look again, go the ways that are open.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};

use super::machine::Machine;
use super::step::{Found, Remedy, Step};
use crate::failure;
use crate::log::Log;
use crate::terminal::{Terminal, Tone, seconds};

/// Finds what a step is for and provides it if it is missing; tells about the
/// latter only. This is what every other command calls.
///
/// # Errors
///
/// It is missing and cannot be provided; the message says what to do.
pub(crate) fn need(step: &dyn Step, machine: &Machine, terminal: Terminal) -> Result<Found> {
    match step.find(machine)? {
        Some(found) => Ok(found),
        None => provide(step, machine, terminal),
    }
}

/// Like [`need`], but tells what is there, too.
///
/// # Errors
///
/// As [`need`].
pub(crate) fn need_and_tell(step: &dyn Step, machine: &Machine, terminal: Terminal) -> Result<()> {
    let began = Instant::now();
    match step.find(machine)? {
        Some(found) => tell("present", step, &found, began.elapsed(), terminal),
        None => provide(step, machine, terminal).map(drop),
    }
}

/// Tells what [`need`] would do, and does nothing.
///
/// # Errors
///
/// What is there cannot be judged, or the screen cannot be written.
pub(crate) fn plan(step: &dyn Step, machine: &Machine, terminal: Terminal) -> Result<()> {
    let began = Instant::now();
    if let Some(found) = step.find(machine)? {
        return tell("present", step, &found, began.elapsed(), terminal);
    }
    let (verb, lines) = intention(step, machine);
    let verb = terminal.paint(Tone::Notable, &format!("{verb:<9}"));
    terminal.line(&format!("{verb}  {:<10}  {}", step.name(), step.purpose()))?;
    for line in lines {
        terminal.line(&format!("{:23}{line}", ""))?;
    }
    Ok(())
}

/// What would happen to a step that is missing.
fn intention(step: &dyn Step, machine: &Machine) -> (&'static str, Vec<String>) {
    match step.ways(machine) {
        Err(Remedy(text)) => ("by hand", vec![text]),
        Ok(ways) => {
            let open = ways.iter().any(|way| way.is_open(machine.network));
            let verb = if open { "missing" } else { "offline" };
            let lines = ways.into_iter().enumerate().map(|(index, way)| match index {
                0 => format!("would {}", way.how),
                _ => format!("or, if that fails, {}", way.how),
            });
            (verb, lines.collect())
        }
    }
}

fn provide(step: &dyn Step, machine: &Machine, terminal: Terminal) -> Result<Found> {
    let ways = step.ways(machine).map_err(|Remedy(text)| {
        anyhow!("{} is missing ({}): {text}", step.name(), step.purpose())
    })?;
    let (ways, closed): (Vec<_>, Vec<_>) =
        ways.into_iter().partition(|way| way.is_open(machine.network));
    if ways.is_empty() {
        let how: Vec<String> = closed.into_iter().map(|way| way.how).collect();
        bail!(
            "{} is missing ({}), and the network may not be used: \
             run `cargo svsm setup {0}` online, it will {}",
            step.name(),
            step.purpose(),
            how.join(", or ")
        );
    }
    let began = Instant::now();
    let _lock = machine.cache.lock(terminal)?;
    // Another process may have provided it while we waited.
    if let Some(found) = step.find(machine)? {
        tell("present", step, &found, began.elapsed(), terminal)?;
        return Ok(found);
    }
    let mut log = Log::create(machine.cache.join("logs").join(format!("{}.log", step.name())))?;
    let mut failures = Vec::new();
    for way in ways {
        terminal.line(&format!(
            "{}  {:<10}  {}",
            terminal.paint(Tone::Notable, "getting  "),
            step.name(),
            way.how
        ))?;
        let spinner = terminal.busy(&step.name());
        let result = way.go(&mut log).and_then(|()| {
            step.find(machine)?.context("it went well, but what was made is not found")
        });
        drop(spinner);
        match result {
            Ok(found) => {
                tell("installed", step, &found, began.elapsed(), terminal)?;
                return Ok(found);
            }
            Err(error) => {
                let message = failure::message(&error);
                log.say(&message)?;
                let line = format!("{:23}that failed: {message}", "");
                terminal.line(&terminal.paint(Tone::Bad, &line))?;
                failures.push(message);
            }
        }
    }
    bail!(
        "{} could not be provided ({}): {}\nwhole log: {}\nonce its cause is removed, run \
         `cargo svsm setup {0}`",
        step.name(),
        step.purpose(),
        failures.join("; "),
        log.path().display()
    )
}

fn tell(
    verb: &str,
    step: &dyn Step,
    found: &Found,
    took: Duration,
    terminal: Terminal,
) -> Result<()> {
    terminal.line(&format!(
        "{}  {:<10}  {:>9}  {}: {}",
        terminal.paint(Tone::Good, &format!("{verb:<9}")),
        step.name(),
        seconds(took),
        step.purpose(),
        found.detail
    ))?;
    Ok(())
}

#[cfg(test)]
mod tests;
