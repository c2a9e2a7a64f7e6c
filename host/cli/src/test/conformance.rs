//! Runs the conformance guest in the platform simulator: all its checks with
//! one processor and with four, and with what else a save area can ask for,
//! then each of its endings.
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
use crate::simulation::{Devices, End, FirmwareItem, Image, Pace, Platform, Request, simulate};
use crate::test::listener::Listener;

/// The images that the guest is in, by manifest, and numbers of processors that
/// the checks run with in each. The first is the one that the endings run in.
const IMAGES: [(&str, &[u32]); 3] = [
    ("images/conformance.toml", &[1, 4]),
    ("images/conformance-restricted.toml", &[4]),
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
    let list = run(project, &image, 1, Some(LIST), log)?;
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

/// What a run came to.
struct Run {
    console: String,
    end: End,
}

/// Runs the guest, and tells it `text` if there is one.
fn run(
    project: &Project,
    image: &Path,
    processors: u32,
    text: Option<&str>,
    log: &mut Log,
) -> Result<Run> {
    let item = |text: &str| FirmwareItem { name: ITEM.to_owned(), text: text.to_owned() };
    let request = Request {
        image: Image::Igvm(image.to_owned()),
        command_line: String::new(),
        platform: Platform { cpus: processors, ..Platform::default() },
        devices: Devices { items: text.map(item).into_iter().collect(), ..Devices::default() },
        pace: Pace::RealTime,
        debugger: None,
        limit: Some(LIMIT),
        expect: None,
    };
    let told = text.map(|text| format!(", told `{text}`")).unwrap_or_default();
    log.say(&format!("--- {processors} processors{told}"))?;
    let mut listener = Listener::default();
    let outcome = simulate(project, &request, &mut listener, log.stream()?)?;
    if let End::Interrupted(signal) = outcome.end {
        follow(signal)?;
        bail!("interrupted by {}", signal.name());
    }
    let console = listener.into_text();
    log.say(&format!("{}\n--- {}", console.trim_end(), outcome.end))?;
    Ok(Run { console, end: outcome.end })
}

/// Runs all checks and counts them. A guest that does not come to their end has
/// failed one more.
fn checks(project: &Project, image: &Path, processors: u32, log: &mut Log) -> Result<Counts> {
    let Run { console, end } = run(project, image, processors, None, log)?;
    let results = results(&console).context("the guest's results cannot be understood")?;
    let ended_well = end == End::Told(report::End::PoweredOff);
    if results.counts.failed == 0 && !(results.complete && ended_well) {
        log.say("the guest did not come to the end of its checks")?;
        return Ok(results.counts.plus(Counts { failed: 1, ..Counts::default() }));
    }
    Ok(results.counts)
}

/// Runs one ending, and counts whether it is the one that the guest expected.
fn ending(
    project: &Project,
    image: &Path,
    name: &str,
    processors: u32,
    log: &mut Log,
) -> Result<Counts> {
    let Run { console, end } = run(project, image, processors, Some(name), log)?;
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
