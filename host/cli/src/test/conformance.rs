//! Runs the conformance guest in the platform simulator: all its checks with
//! one processor and with four, and with what else a save area can ask for; in
//! random orders of processors; then each of its endings.
//!
//! What the guest says is described in the book, "Conformance".

mod expected_end;
mod results;

use std::path::{Path, PathBuf};
use std::time::Duration;

use abi_simulator::report;
use anyhow::{Context, Result, bail};

use self::expected_end::ExpectedEnd;
use self::results::{endings, results};
use crate::build;
use crate::jobs::Counts;
use crate::log::Log;
use crate::machine::follow;
use crate::project::Project;
use crate::simulation::{
    Devices, End, FirmwareItem, Image, Pace, Platform, Request, Statistics, simulate,
};
use crate::test::listener::Listener;

/// The images that the guest is in, by manifest, and numbers of processors that
/// the checks run with in each. The first is the one that the endings run in.
const IMAGES: [(&str, &[u32]); 4] = [
    ("images/conformance.toml", &[1, 4]),
    ("images/conformance-restricted.toml", &[4]),
    ("images/conformance-alternate.toml", &[1]),
    ("images/conformance-secure-tsc.toml", &[4]),
];
/// The item by which the guest is told what to do.
const ITEM: &str = "opt/org.svsm/conformance";
/// Asks for the list of endings.
const LIST: &str = "list";
/// Far more than any run takes.
const LIMIT: Duration = Duration::from_secs(120);

/// Builds the guest, runs it and counts its checks and endings.
///
/// # Errors
///
/// The guest or the simulator cannot be built, QEMU is missing, or what the
/// guest says cannot be understood.
pub(super) fn test(project: &Project, log: &mut Log) -> Result<Counts> {
    let mut counts = Counts::default();
    for (manifest, processors) in IMAGES {
        log.say(&format!("--- {manifest}"))?;
        let image = image(project, manifest, log)?;
        for processors in processors {
            counts = counts.plus(checks(project, &image, *processors, log)?);
        }
    }
    let image = image(project, IMAGES[0].0, log)?;
    counts = counts.plus(schedules(project, &image, log)?);
    let list = run(project, Launch { text: Some(LIST), ..Launch::new(&image, 1) }, log)?;
    for (name, processors) in endings(&list.console) {
        counts = counts.plus(ending(project, &image, name, processors, log)?);
    }
    Ok(counts)
}

/// Builds the image of a manifest.
fn image(project: &Project, manifest: &str, log: &mut Log) -> Result<PathBuf> {
    let manifest = project.workspace.root().join(manifest);
    Ok(build::image(project, &manifest, log.stream()?)?.igvm)
}

/// How the guest is run.
#[derive(Clone, Copy)]
struct Launch<'a> {
    image: &'a Path,
    processors: u32,
    /// What the guest is told.
    text: Option<&'a str>,
    pace: Pace,
    schedule: u64,
}

impl<'a> Launch<'a> {
    const fn new(image: &'a Path, processors: u32) -> Self {
        Self { image, processors, text: None, pace: Pace::RealTime, schedule: 0 }
    }
}

/// What a run came to.
struct Run {
    console: String,
    end: End,
    statistics: Option<Statistics>,
}

/// Runs the guest.
fn run(project: &Project, launch: Launch<'_>, log: &mut Log) -> Result<Run> {
    let Launch { image, processors, text, pace, schedule } = launch;
    let item = |text: &str| FirmwareItem { name: ITEM.to_owned(), text: text.to_owned() };
    let request = Request {
        image: Image::Igvm(image.to_owned()),
        command_line: String::new(),
        platform: Platform { cpus: processors, schedule, ..Platform::default() },
        devices: Devices { items: text.map(item).into_iter().collect(), ..Devices::default() },
        pace,
        debugger: None,
        limit: Some(LIMIT),
        expect: None,
    };
    let told = text.map(|text| format!(", told `{text}`")).unwrap_or_default();
    log.say(&format!("--- {processors} processors, schedule {schedule}{told}"))?;
    let mut listener = Listener::default();
    let outcome = simulate(project, &request, &mut listener, log.stream()?)?;
    if let End::Interrupted(signal) = outcome.end {
        follow(signal)?;
        bail!("interrupted by {}", signal.name());
    }
    let console = listener.into_text();
    log.say(&format!("{}\n--- {}", console.trim_end(), outcome.end))?;
    Ok(Run { console, end: outcome.end, statistics: outcome.statistics })
}

/// Runs all checks and counts them. A guest that does not come to their end has
/// failed one more.
fn checks(project: &Project, image: &Path, processors: u32, log: &mut Log) -> Result<Counts> {
    let Run { console, end, .. } = run(project, Launch::new(image, processors), log)?;
    let results = results(&console).context("the guest's results cannot be understood")?;
    let ended_well = end == End::Told(report::End::PoweredOff);
    if results.counts.failed == 0 && !(results.complete && ended_well) {
        log.say("the guest did not come to the end of its checks")?;
        return Ok(results.counts.plus(Counts { failed: 1, ..Counts::default() }));
    }
    Ok(results.counts)
}

/// Runs all checks in one order of processors twice, and in another one, and
/// compares what was counted: the first two are one and the same run, the third
/// is not, and the guest finds nothing wrong in any.
fn schedules(project: &Project, image: &Path, log: &mut Log) -> Result<Counts> {
    const SEEDS: [u64; 3] = [1, 1, 2];
    let pace = Pace::Instructions;
    let mut runs = Vec::new();
    for schedule in SEEDS {
        let launch = Launch { pace, schedule, ..Launch::new(image, 4) };
        runs.push(run(project, launch, log)?);
    }
    let statistics = |index: usize| runs.get(index).and_then(|run| run.statistics.as_ref());
    let is_well = |run: &Run| run.end == End::Told(report::End::PoweredOff);
    let mut counts = Counts::default();
    for (what, holds) in [
        ("all runs end well", runs.iter().all(is_well)),
        (
            "the same seed is the same run",
            statistics(0).is_some() && statistics(0) == statistics(1),
        ),
        ("another seed is another run", statistics(0) != statistics(2)),
    ] {
        if holds {
            counts.passed += 1;
        } else {
            counts.failed += 1;
            log.say(&format!("FAILED: {what}"))?;
        }
    }
    Ok(counts)
}

/// Runs one ending, and counts whether it is the one that the guest expected.
fn ending(
    project: &Project,
    image: &Path,
    name: &str,
    processors: u32,
    log: &mut Log,
) -> Result<Counts> {
    let launch = Launch { text: Some(name), ..Launch::new(image, processors) };
    let Run { console, end, .. } = run(project, launch, log)?;
    let expected = ExpectedEnd::find(&console);
    let is_met = match (&expected, &end) {
        (Some(expected), End::Told(end)) => expected.is_met_by(end),
        _ => false,
    };
    if is_met {
        return Ok(Counts::passed(1));
    }
    log.say(&format!("{name} ended otherwise than expected"))?;
    Ok(Counts { failed: 1, ..Counts::default() })
}
