//! `svsm bench tpm`: how long TPM commands take.

mod commands;

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::Serialize;
use svsm_tpm::message::Response;
use tpm::ResponseCode;

use super::sheet::Form;
use crate::failure::Verdict;
use crate::log::Log;
use crate::project::Project;
use crate::table::{self, Cell};
use crate::terminal::Tone;
use crate::tpm::{Emulator, InProcess, Peer, Served};
use commands::{EXERCISES, Exercise, Prepared};

/// Commands that a device executes before it is the next one's turn: all of them
/// then see the same of what else the machine does.
const TURN: u32 = 20;

/// Arguments of `svsm bench tpm`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// How often each command is measured; median and minimum count
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    samples: u32,
    /// Only commands whose name contains this
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    only: String,
    #[command(flatten)]
    form: Form,
}

/// How long one command took.
#[derive(Debug, Serialize)]
struct Figure {
    name: &'static str,
    in_process: Times,
    over_socket: Times,
    swtpm: Times,
}

/// Of all samples, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
struct Times {
    median: f64,
    least: f64,
}

/// Measures.
///
/// # Errors
///
/// swtpm is missing and cannot be had, or a command fails.
pub(crate) fn run(arguments: &Arguments, project: &Project) -> Result<Verdict> {
    let output = project.workspace.output().join("bench");
    let log = Log::create(output.join("tpm.log"))?;
    let folder = tempfile::tempdir().context("cannot create a folder")?;
    let (ours, theirs) = (folder.path().join("ours"), folder.path().join("theirs"));
    for folder in [&ours, &theirs] {
        std::fs::create_dir(folder).context("cannot create a folder")?;
    }
    let mut in_process = InProcess::new()?;
    // swtpm 0.7.1 does not wait for the disk either.
    let mut served = Served::start(&ours, &["--no-sync"])?;
    let mut swtpm = Emulator::start(&project.toolbox.tpm_programs()?, &theirs, &log)?;
    let mut devices: [&mut dyn Device; 3] = [&mut in_process, &mut served, &mut swtpm];
    for device in &mut devices {
        // TPM2_Startup(CLEAR).
        succeed(*device, &[0x80, 1, 0, 0, 0, 12, 0, 0, 1, 0x44, 0, 0])?;
    }
    let mut figures = Vec::new();
    for exercise in EXERCISES.iter().filter(|one| one.name.contains(&arguments.only)) {
        let spinner = project.session.terminal.busy(exercise.name);
        let [in_process, over_socket, swtpm] = measure(exercise, &mut devices, arguments.samples)
            .with_context(|| exercise.name.to_owned())?;
        drop(spinner);
        figures.push(Figure { name: exercise.name, in_process, over_socket, swtpm });
    }
    let file = output.join("tpm.json");
    std::fs::write(&file, serde_json::to_string_pretty(&figures)?)
        .with_context(|| format!("cannot write {}", file.display()))?;
    let terminal = project.session.terminal;
    if arguments.form.markdown {
        terminal.line(markdown(&figures).trim_end())?;
    } else {
        terminal.line(&table::render(&rows(&figures), terminal))?;
    }
    Ok(Verdict::Good)
}

/// Whoever is measured.
trait Device {
    fn execute(&mut self, command: &[u8]) -> Result<Vec<u8>>;
}

impl Device for InProcess {
    fn execute(&mut self, command: &[u8]) -> Result<Vec<u8>> {
        Peer::execute(self, command)
    }
}

impl Device for Emulator {
    fn execute(&mut self, command: &[u8]) -> Result<Vec<u8>> {
        Peer::execute(self, command)
    }
}

impl Device for Served {
    fn execute(&mut self, command: &[u8]) -> Result<Vec<u8>> {
        Self::execute(self, command)
    }
}

/// The response of a command that has to succeed.
fn succeed(device: &mut dyn Device, command: &[u8]) -> Result<Vec<u8>> {
    let response = device.execute(command)?;
    match Response::parse(&response).map(|response| response.code) {
        Some(0) => Ok(response),
        Some(code) => bail!("a command is refused: {}", ResponseCode(code)),
        None => bail!("a response is none"),
    }
}

/// A device, ready for a command, and how long it took so far.
struct Run<'a> {
    device: &'a mut dyn Device,
    prepared: Prepared,
    times: Vec<Duration>,
}

impl<'a> Run<'a> {
    fn prepare(exercise: &Exercise, device: &'a mut dyn Device) -> Result<Self> {
        let prepared = (exercise.prepare)(&mut |command| succeed(&mut *device, command))?;
        Ok(Self { device, prepared, times: Vec::new() })
    }

    fn sample(&mut self) -> Result<()> {
        let command = self.prepared.command();
        let began = Instant::now();
        let response = self.device.execute(&command)?;
        self.times.push(began.elapsed());
        match Response::parse(&response).map(|response| response.code) {
            Some(0) => {}
            code => bail!("it is refused: {}", ResponseCode(code.unwrap_or(u32::MAX))),
        }
        if let Some(command) = self.prepared.after(&response) {
            succeed(self.device, &command)?;
        }
        Ok(())
    }

    fn end(mut self) -> Result<Times> {
        for command in self.prepared.end() {
            succeed(self.device, &command)?;
        }
        Ok(Times::of(&mut self.times))
    }
}

/// How long the devices take for a command, in turns.
fn measure<const N: usize>(
    exercise: &Exercise,
    devices: &mut [&mut dyn Device; N],
    samples: u32,
) -> Result<[Times; N]> {
    let runs = devices.iter_mut().map(|device| Run::prepare(exercise, &mut **device));
    let mut runs = runs.collect::<Result<Vec<_>>>()?;
    let mut left = samples;
    while left > 0 {
        let turn = left.min(TURN);
        left -= turn;
        for run in &mut runs {
            (0..turn).try_for_each(|_| run.sample())?;
        }
    }
    let times = runs.into_iter().map(Run::end).collect::<Result<Vec<_>>>()?;
    Ok(times.try_into().expect("there is a run for each device"))
}

impl Times {
    fn of(times: &mut [Duration]) -> Self {
        times.sort();
        let at = |index: usize| times.get(index).copied().unwrap_or_default().as_secs_f64() * 1e6;
        Self { median: at(times.len() / 2), least: at(0) }
    }
}

impl Figure {
    /// Our time over a socket in parts of swtpm's: of the medians, and of the
    /// least times.
    fn ratios(&self) -> [f64; 2] {
        let (ours, theirs) = (self.over_socket, self.swtpm);
        [ours.median / theirs.median, ours.least / theirs.least]
    }
}

fn rows(figures: &[Figure]) -> Vec<Vec<Cell>> {
    let heading = ["command", "in process", "socket", "swtpm", "socket / swtpm", "of least times"];
    let mut rows = vec![heading.map(|text| Cell::words(text).tone(Tone::Strong)).to_vec()];
    for figure in figures {
        let mut row = vec![Cell::words(figure.name)];
        let times = [figure.in_process, figure.over_socket, figure.swtpm];
        row.extend(times.map(|times| Cell::figure(format!("{:.1} µs", times.median))));
        row.extend(figure.ratios().map(|ratio| {
            let tone = if ratio > 1.0 { Tone::Notable } else { Tone::Good };
            Cell::figure(format!("{ratio:.2}")).tone(tone)
        }));
        rows.push(row);
    }
    rows
}

fn markdown(figures: &[Figure]) -> String {
    let mut text = "| Command | In process, µs | Over a socket, µs | swtpm, µs | Socket / swtpm | Of least times |\n\
                    |---|---:|---:|---:|---:|---:|\n"
        .to_owned();
    for figure in figures {
        let Figure { name, in_process, over_socket, swtpm } = figure;
        let [of_medians, of_least] = figure.ratios();
        text.push_str(&format!(
            "| {name} | {:.1} | {:.1} | {:.1} | {of_medians:.2} | {of_least:.2} |\n",
            in_process.median, over_socket.median, swtpm.median
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use anyhow::Result;

    use super::{Device, EXERCISES, Figure, Times, markdown, measure};
    use crate::tpm::InProcess;

    #[test]
    fn every_exercise_works_more_than_once() -> Result<()> {
        let (mut one, mut other) = (InProcess::new()?, InProcess::new()?);
        let mut devices: [&mut dyn Device; 2] = [&mut one, &mut other];
        for device in &mut devices {
            super::succeed(*device, &[0x80, 1, 0, 0, 0, 12, 0, 0, 1, 0x44, 0, 0])?;
        }
        for exercise in EXERCISES {
            let times = measure(exercise, &mut devices, 2);
            let positive = |times: &Times| times.least > 0.0 && times.median >= times.least;
            let whole = times.as_ref().is_ok_and(|times| times.iter().all(positive));
            assert!(whole, "{}: {times:?}", exercise.name);
        }
        Ok(())
    }

    #[test]
    fn the_middle_and_the_least_count() {
        let mut times = [5, 2, 100].map(Duration::from_micros);
        let Times { median, least } = Times::of(&mut times);
        assert_eq!((median.round(), least.round()), (5.0, 2.0));
    }

    #[test]
    fn a_row_for_each_figure() {
        let times = |median, least| Times { median, least };
        let figure = Figure {
            name: "Sign",
            in_process: times(18.04, 16.0),
            over_socket: times(30.0, 25.0),
            swtpm: times(300.0, 100.0),
        };
        let text = markdown(&[figure]);
        assert_eq!(text.lines().last(), Some("| Sign | 18.0 | 30.0 | 300.0 | 0.10 | 0.25 |"));
    }
}
