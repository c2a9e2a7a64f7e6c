//! Runs the conformance guest in the platform simulator: all its checks with
//! one processor and with four, with what else a save area can ask for, and with
//! INVLPGB; in random orders of processors; under a hostile host; then each of
//! its endings.
//!
//! What the guest says is described in the book, "Conformance".

pub(super) mod below;
mod expected_end;
mod results;
mod runs;

use std::path::{Path, PathBuf};

use abi_simulator::launch::CpuidAdditions;
use abi_simulator::report;
use anyhow::Result;

use self::runs::{Launch, Run, all_endings, checks, run};
use crate::build;
use crate::jobs::Counts;
use crate::log::Log;
use crate::project::Project;
use crate::simulation::{End, Pace};

/// The images that the guest is in, by manifest, and numbers of processors that
/// the checks run with in each. The first is the one that the endings run in.
const IMAGES: [(&str, &[u32]); 4] = [
    ("images/conformance.toml", &[1, 4]),
    ("images/conformance-restricted.toml", &[4]),
    ("images/conformance-alternate.toml", &[1]),
    ("images/conformance-secure-tsc.toml", &[4]),
];
/// Checks that need a hostile host, and where the scenarios of their names are.
const ATTACKED: [&str; 1] = ["event-cut-short"];
const ATTACKS: &str = "simulator/scenarios/conformance";

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
            counts = counts.plus(checks(project, Launch::new(&image, *processors), log)?);
        }
    }
    let image = image(project, IMAGES[0].0, log)?;
    let additions = CpuidAdditions::INVLPGB;
    let shown = Launch { additions, ..Launch::new(&image, 4) };
    counts = counts.plus(checks(project, shown, log)?);
    counts = counts.plus(schedules(project, &image, log)?);
    counts = counts.plus(attacked(project, &image, log)?);
    Ok(counts.plus(all_endings(project, &image, log)?))
}

/// Builds the image of a manifest.
fn image(project: &Project, manifest: &str, log: &mut Log) -> Result<PathBuf> {
    let manifest = project.workspace.root().join(manifest);
    Ok(build::image(project, &manifest, log.stream()?)?.igvm)
}

/// Runs the checks that need a hostile host, each under the scenario of its name.
fn attacked(project: &Project, image: &Path, log: &mut Log) -> Result<Counts> {
    let folder = project.workspace.root().join(ATTACKS);
    let mut counts = Counts::default();
    for name in ATTACKED {
        let scenario = folder.join(name).with_extension("scenario");
        let launch =
            Launch { text: Some(name), scenario: Some(&scenario), ..Launch::new(image, 1) };
        counts = counts.plus(checks(project, launch, log)?);
    }
    Ok(counts)
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
