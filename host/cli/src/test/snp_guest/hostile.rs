//! Stock kernels under a hostile host: they end themselves, are stopped by the
//! platform, or go on unharmed, as each scenario says.

use std::time::Duration;

use anyhow::{Result, bail};
use svsm_initrd::console::exit_status;

use super::guest::Guest;
use crate::jobs::Counts;
use crate::log::Log;
use crate::project::Project;
use crate::setup::{GuestKernel, LINUX_6_1, LINUX_6_12, LINUX_7};
use crate::test::checks::Checks;
use crate::test::depth::Depth;
use crate::test::recorder::record;
use crate::test::scenario::{judge, wanted};

/// Where the scenarios are.
const FOLDER: &str = "simulator/scenarios";
/// What the guest does.
const SCRIPT: &str = include_str!("hostile.sh");
/// How that ends if the guest has lost nothing.
const STATUS: u8 = 42;
/// How long guests run that get nowhere: several times what others take.
const PATIENCE: Duration = Duration::from_secs(60);

const KERNELS: [&GuestKernel; 3] = [&LINUX_6_1, &LINUX_6_12, &LINUX_7];

/// Runs the scenarios and compares what becomes of the guests with what the
/// scenarios say.
///
/// # Errors
///
/// A kernel, busybox or QEMU is missing, a scenario cannot be read or says
/// nothing that can be tested, or there is no run to speak of.
pub(in super::super) fn test(project: &Project, depth: Depth, log: &mut Log) -> Result<Counts> {
    let mut all = wanted(&project.workspace.root().join(FOLDER))?;
    let is_known = |name: &str| KERNELS.iter().any(|kernel| kernel.name() == name);
    if let Some(wanted) = all.iter().find(|wanted| !is_known(&wanted.expected.kernel)) {
        bail!("{}: there is no kernel `{}`", wanted.path.display(), wanted.expected.kernel);
    }
    all.retain(|wanted| wanted.expected.is_always_tested || depth == Depth::Thorough);
    let mut checks = Checks::new(log);
    // A guest is made once for all of its scenarios.
    for kernel in KERNELS {
        let mut of_kernel =
            all.iter().filter(|wanted| wanted.expected.kernel == kernel.name()).peekable();
        if of_kernel.peek().is_none() {
            continue;
        }
        let mut guest = Guest::new(project, kernel, SCRIPT)?;
        // Most rules wait for what the kernel writes.
        guest.request.command_line = "console=ttyS0 panic=-1".to_owned();
        let limit = guest.request.limit;
        for wanted in of_kernel {
            let expected = &wanted.expected;
            checks.log().say(&format!("=== {}, {}", wanted.name(), expected.of))?;
            guest.request.platform.cpus = expected.processors;
            guest.request.platform.scenario = Some(wanted.path.clone());
            guest.request.limit = if expected.end.is_time_out() { Some(PATIENCE) } else { limit };
            let run = record(project, &guest.request, checks.log())?;
            judge(wanted, &run, &mut checks)?;
            if expected.end.is_power_off() {
                checks.same("exit status", &exit_status(&run.console), &Some(STATUS))?;
            }
        }
    }
    Ok(checks.counts())
}
