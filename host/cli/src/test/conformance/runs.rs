//! Runs of the conformance guest, and what they come to.

use std::path::Path;
use std::time::Duration;

use abi_simulator::launch::CpuidAdditions;
use abi_simulator::report;
use anyhow::{Context, Result, bail};

use super::expected_end::ExpectedEnd;
use super::results::{endings, results};
use crate::jobs::Counts;
use crate::log::Log;
use crate::machine::follow;
use crate::project::Project;
use crate::simulation::{
    Devices, End, FirmwareItem, Image, Pace, Platform, Request, Statistics, simulate,
};
use crate::test::listener::Listener;

/// The item by which the guest is told what to do.
const ITEM: &str = "opt/org.svsm/conformance";
/// Asks for the list of endings.
const LIST: &str = "list";
/// Far more than any run takes.
const LIMIT: Duration = Duration::from_secs(120);

/// How the guest is run.
#[derive(Clone, Copy)]
pub(super) struct Launch<'a> {
    pub(super) image: &'a Path,
    pub(super) processors: u32,
    /// What the guest is told.
    pub(super) text: Option<&'a str>,
    pub(super) pace: Pace,
    pub(super) schedule: u64,
    pub(super) additions: CpuidAdditions,
    /// What a hostile host does.
    pub(super) scenario: Option<&'a Path>,
}

impl<'a> Launch<'a> {
    pub(super) const fn new(image: &'a Path, processors: u32) -> Self {
        Self {
            image,
            processors,
            text: None,
            pace: Pace::RealTime,
            schedule: 0,
            additions: CpuidAdditions::empty(),
            scenario: None,
        }
    }
}

/// What a run came to.
pub(super) struct Run {
    pub(super) console: String,
    pub(super) end: End,
    pub(super) statistics: Option<Statistics>,
}

/// Runs the guest.
///
/// # Errors
///
/// There is no run to speak of, or a signal asked this program to end.
pub(super) fn run(project: &Project, launch: Launch<'_>, log: &mut Log) -> Result<Run> {
    let Launch { image, processors, text, pace, schedule, additions, scenario } = launch;
    let item = |text: &str| FirmwareItem { name: ITEM.to_owned(), text: text.to_owned() };
    let request = Request {
        image: Image::Igvm(image.to_owned()),
        command_line: String::new(),
        platform: Platform {
            cpus: processors,
            schedule,
            cpuid_additions: additions,
            scenario: scenario.map(Path::to_owned),
            ..Platform::default()
        },
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
/// failed one more, and so has a VMPL0 that could use INVLPGB and has not.
pub(super) fn checks(project: &Project, launch: Launch<'_>, log: &mut Log) -> Result<Counts> {
    let Run { console, end, statistics } = run(project, launch, log)?;
    let results = results(&console).context("the guest's results cannot be understood")?;
    let ended_well = end == End::Told(report::End::PoweredOff);
    if results.counts.failed == 0 && !(results.complete && ended_well) {
        log.say("the guest did not come to the end of its checks")?;
        return Ok(results.counts.plus(Counts { failed: 1, ..Counts::default() }));
    }
    let mut counts = results.counts;
    if launch.additions.contains(CpuidAdditions::INVLPGB) {
        let mut rows = statistics.iter().flat_map(|statistics| statistics.rows("translations"));
        if !rows.any(|(name, count)| name == "INVLPGB at VMPL0" && count != 0) {
            log.say("VMPL0 has not used INVLPGB")?;
            counts.failed += 1;
        }
    }
    Ok(counts)
}

/// Runs each ending that the guest lists, and counts those that are as the guest
/// expected.
pub(super) fn all_endings(project: &Project, image: &Path, log: &mut Log) -> Result<Counts> {
    let list = run(project, Launch { text: Some(LIST), ..Launch::new(image, 1) }, log)?;
    let mut counts = Counts::default();
    for (name, processors) in endings(&list.console) {
        counts = counts.plus(ending(project, image, name, processors, log)?);
    }
    if counts == Counts::default() {
        log.say("the guest lists no endings")?;
        counts.failed += 1;
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
