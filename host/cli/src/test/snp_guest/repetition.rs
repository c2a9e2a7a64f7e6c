//! The same image twice, with time that passes with the instructions, is the
//! same run.

use abi_simulator::report;
use anyhow::Result;

use super::super::depth::Depth;
use super::super::recorder::{Recording, record};
use super::guest::Guest;
use crate::jobs::Counts;
use crate::log::Log;
use crate::project::Project;
use crate::setup::LINUX_6_1;
use crate::simulation::{End, Pace};
use crate::test::checks::Checks;

/// The clock and random numbers are what most easily differs.
const SCRIPT: &str = "\
date
cat /proc/uptime
head -c 16 /dev/urandom | md5sum
dmesg | md5sum
cat /proc/interrupts
";

/// Runs guests twice and compares all that was counted and written.
///
/// # Errors
///
/// A kernel, busybox or QEMU is missing, or there is no run to speak of.
pub(in super::super) fn test(project: &Project, depth: Depth, log: &mut Log) -> Result<Counts> {
    let mut checks = Checks::new(log);
    twice(project, 1, &mut checks)?;
    if depth == Depth::Thorough {
        twice(project, 4, &mut checks)?;
    }
    Ok(checks.counts())
}

fn twice(project: &Project, cpus: u32, checks: &mut Checks<'_>) -> Result<()> {
    checks.log().say(&format!("=== {cpus} processors"))?;
    let mut guest = Guest::new(project, &LINUX_6_1, SCRIPT)?;
    guest.request.platform.cpus = cpus;
    guest.request.pace = Pace::Instructions;
    let first = record(project, &guest.request, checks.log())?;
    let second = record(project, &guest.request, checks.log())?;

    let Recording { outcome, console, .. } = &first;
    checks.same("end", &outcome.end, &End::Told(report::End::PoweredOff))?;
    checks.same("statistics exist", &outcome.statistics.is_some(), &true)?;
    checks.same("end of both", &second.outcome.end, &outcome.end)?;
    checks.same("digest", &second.outcome.launch_digest, &outcome.launch_digest)?;
    checks.same("statistics", &second.outcome.statistics, &outcome.statistics)?;
    checks.same("console", second.console.as_str(), console)
}
