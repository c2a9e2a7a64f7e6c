//! The kernel under a hostile host: it goes on unharmed or ends for a reason
//! that names the host, as each scenario says.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::jobs::Counts;
use crate::log::Log;
use crate::project::Project;
use crate::simulation::{Devices, Image, Pace, Platform, Request};
use crate::test::checks::Checks;
use crate::test::recorder::record;
use crate::test::scenario::{judge, wanted};

/// Where the scenarios are.
const FOLDER: &str = "simulator/scenarios/kernel";
/// What they call the kernel.
const KERNEL: &str = "module";
/// Far more than any run takes.
const LIMIT: Duration = Duration::from_secs(60);

/// Runs the image with all tests under each scenario, and compares what becomes
/// of it with what the scenario says.
///
/// # Errors
///
/// A scenario cannot be read or says nothing that can be tested, or there is no
/// run to speak of.
pub(super) fn test(project: &Project, image: &Path, log: &mut Log) -> Result<Counts> {
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
    for wanted in wanted(&project.workspace.root().join(FOLDER))? {
        let expected = &wanted.expected;
        if expected.kernel != KERNEL {
            bail!("{}: there is no kernel `{}`", wanted.path.display(), expected.kernel);
        }
        checks.log().say(&format!("=== {}, {}", wanted.name(), expected.of))?;
        request.platform.cpus = expected.processors;
        request.platform.scenario = Some(wanted.path.clone());
        let run = record(project, &request, checks.log())?;
        judge(&wanted, &run, &mut checks)?;
    }
    Ok(checks.counts())
}
