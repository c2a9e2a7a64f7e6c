//! An image with the module under a hostile host: it goes on unharmed or ends for
//! a reason that names the host, as each scenario says.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::jobs::Counts;
use crate::log::Log;
use crate::project::Project;
use crate::simulation::{Devices, Image, Pace, Platform, Request};
use crate::test::checks::Checks;
use crate::test::depth::Depth;
use crate::test::recorder::record;
use crate::test::scenario::{Wanted, judge, wanted};

/// Far more than any run takes.
const LIMIT: Duration = Duration::from_secs(60);

/// The scenarios of `folder` that `depth` has. They may call images by these
/// `names`.
///
/// # Errors
///
/// A scenario cannot be read, says nothing that can be tested, or names an image
/// that there is not.
pub(super) fn scenarios(
    project: &Project,
    folder: &str,
    names: &[&str],
    depth: Depth,
) -> Result<Vec<Wanted>> {
    let mut scenarios = wanted(&project.workspace.root().join(folder))?;
    for Wanted { path, expected, .. } in &scenarios {
        if !names.contains(&expected.kernel.as_str()) {
            bail!("{}: there is no kernel `{}`", path.display(), expected.kernel);
        }
    }
    scenarios.retain(|wanted| wanted.expected.is_always_tested || depth == Depth::Thorough);
    Ok(scenarios)
}

/// Runs the image under each scenario, and compares what becomes of it with what
/// the scenario says.
///
/// # Errors
///
/// There is no run to speak of.
pub(super) fn test<'a>(
    project: &Project,
    image: &Path,
    scenarios: impl Iterator<Item = &'a Wanted>,
    log: &mut Log,
) -> Result<Counts> {
    let mut request = Request {
        image: Image::Igvm(image.to_owned()),
        command_line: String::new(),
        platform: Platform::default(),
        devices: Devices::default(),
        pace: Pace::RealTime,
        debugger: None,
        limit: Some(LIMIT),
        expect: None,
    };
    let mut checks = Checks::new(log);
    for wanted in scenarios {
        let expected = &wanted.expected;
        checks.log().say(&format!("=== {}, {}", wanted.name(), expected.of))?;
        request.platform.cpus = expected.processors;
        request.platform.scenario = Some(wanted.path.clone());
        let run = record(project, &request, checks.log())?;
        judge(wanted, &run, &mut checks)?;
    }
    Ok(checks.counts())
}
