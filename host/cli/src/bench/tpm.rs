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
use commands::{EXERCISES, Exercise};

/// Arguments of `svsm bench tpm`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// How often each command is measured; the median counts
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    samples: u32,
    /// Only commands whose name contains this
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    only: String,
    #[command(flatten)]
    form: Form,
}

/// Medians for one command, in microseconds.
#[derive(Debug, Serialize)]
struct Figure {
    name: &'static str,
    in_process: f64,
    over_socket: f64,
    swtpm: f64,
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
        let mut medians = [0.0; 3];
        for (device, median) in devices.iter_mut().zip(&mut medians) {
            *median = measure(exercise, *device, arguments.samples)
                .with_context(|| exercise.name.to_owned())?;
        }
        drop(spinner);
        let [in_process, over_socket, swtpm] = medians;
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

/// The median of a command's latency, in microseconds.
fn measure(exercise: &Exercise, device: &mut dyn Device, samples: u32) -> Result<f64> {
    let mut prepared = (exercise.prepare)(&mut |command| succeed(device, command))?;
    let mut times = Vec::new();
    for _ in 0..samples {
        let command = prepared.command();
        let began = Instant::now();
        let response = device.execute(&command)?;
        times.push(began.elapsed());
        match Response::parse(&response).map(|response| response.code) {
            Some(0) => {}
            code => bail!("it is refused: {}", ResponseCode(code.unwrap_or(u32::MAX))),
        }
        if let Some(command) = prepared.after(&response) {
            succeed(device, &command)?;
        }
    }
    for command in prepared.end() {
        succeed(device, &command)?;
    }
    Ok(median(&mut times).as_secs_f64() * 1e6)
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn rows(figures: &[Figure]) -> Vec<Vec<Cell>> {
    let heading = ["command", "in process", "socket", "swtpm", "socket / swtpm"];
    let mut rows = vec![heading.map(|text| Cell::words(text).tone(Tone::Strong)).to_vec()];
    for figure in figures {
        let ratio = figure.over_socket / figure.swtpm;
        let tone = if ratio > 1.0 { Tone::Notable } else { Tone::Good };
        let mut row = vec![Cell::words(figure.name)];
        let times = [figure.in_process, figure.over_socket, figure.swtpm];
        row.extend(times.map(|time| Cell::figure(format!("{time:.1} µs"))));
        row.push(Cell::figure(format!("{ratio:.2}")).tone(tone));
        rows.push(row);
    }
    rows
}

fn markdown(figures: &[Figure]) -> String {
    let mut text =
        "| Command | In process, µs | Over a socket, µs | swtpm, µs | Socket / swtpm |\n\
                    |---|---:|---:|---:|---:|\n"
            .to_owned();
    for Figure { name, in_process, over_socket, swtpm } in figures {
        let ratio = over_socket / swtpm;
        text.push_str(&format!(
            "| {name} | {in_process:.1} | {over_socket:.1} | {swtpm:.1} | {ratio:.2} |\n"
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use anyhow::Result;

    use super::{EXERCISES, Figure, markdown, measure, median};
    use crate::tpm::InProcess;

    #[test]
    fn every_exercise_works_more_than_once() -> Result<()> {
        let mut device = InProcess::new()?;
        super::succeed(&mut device, &[0x80, 1, 0, 0, 0, 12, 0, 0, 1, 0x44, 0, 0])?;
        for exercise in EXERCISES {
            let time = measure(exercise, &mut device, 2);
            assert!(time.as_ref().is_ok_and(|time| *time > 0.0), "{}: {time:?}", exercise.name);
        }
        Ok(())
    }

    #[test]
    fn the_middle_counts() {
        let mut times = [5, 1, 100].map(Duration::from_micros);
        assert_eq!(median(&mut times), Duration::from_micros(5));
    }

    #[test]
    fn a_row_for_each_figure() {
        let figure = Figure { name: "Sign", in_process: 18.04, over_socket: 30.0, swtpm: 300.0 };
        let text = markdown(&[figure]);
        assert_eq!(text.lines().last(), Some("| Sign | 18.0 | 30.0 | 300.0 | 0.10 |"));
    }
}
