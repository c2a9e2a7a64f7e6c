//! A run from its image to its end.

use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::attend::{Heard, attend};
use super::emulator::{self, Files};
use super::end::End;
use super::hypervisor::hypervisor;
use super::operator::Operator;
use super::request::Request;
use super::statistics::Statistics;
use super::{image, launch};
use crate::machine::{Machine, NamedPipe, Signals, qemu};
use crate::project::Project;

/// What became of a run.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// What ended it.
    pub(crate) end: End,
    /// The launch digest in hexadecimal, if the launch came that far.
    pub(crate) launch_digest: Option<String>,
    /// What was counted. A run that does not end by itself may have none.
    pub(crate) statistics: Option<Statistics>,
    /// How long the machine ran.
    pub(crate) took: Duration,
}

/// Runs what is asked for, with `operator` at the console. Messages of the
/// compiler, which builds the simulator first, go to `messages`. When this
/// returns, the machine is gone and no file of it is left.
///
/// # Errors
///
/// There is no run to speak of: the simulator cannot be built, the image cannot
/// be had or does not fit the platform, QEMU cannot be started, or the operator
/// fails. A run that ends badly is no error.
pub(crate) fn simulate(
    project: &Project,
    request: &Request,
    operator: &mut dyn Operator,
    messages: Stdio,
) -> Result<Outcome> {
    let image = image::obtain(request)?;
    let launch_file = launch::file(&image, request, &project.toolbox.endorsement()?)?;
    let hypervisor = hypervisor(project, messages)?;
    let mut qemu = qemu(project)?;

    // From here on there is something to clean up.
    let signals = Signals::note()?;
    let folder = tempfile::Builder::new().prefix("svsm-run-").tempdir();
    let folder = folder.context("cannot create a folder for the run")?;
    let launch = folder.path().join("launch");
    std::fs::write(&launch, launch_file)
        .with_context(|| format!("cannot write {}", launch.display()))?;
    let report = NamedPipe::create(folder.path().join("report"))?;
    let files = Files { hypervisor: &hypervisor, launch: &launch, report: report.path() };
    qemu.args(emulator::arguments(request, &files));

    let keyboard = operator.keyboard()?;
    let began = Instant::now();
    let mut machine = Machine::start(&mut qemu, Some(report.into_file()), keyboard, signals)?;
    let heard = attend(&mut machine, request.limit, request.expect.as_deref(), operator)?;
    let Heard { end, launch_digest, statistics } = heard;
    Ok(Outcome { end, launch_digest, statistics, took: began.elapsed() })
}
