//! Stock kernels boot as SNP guests and find the machine sound.

use abi_simulator::report;
use anyhow::Result;
use svsm_initrd::console::exit_status;

use super::super::depth::Depth;
use super::super::recorder::{Recording, record};
use super::guest::Guest;
use super::secure_tsc;
use crate::jobs::Counts;
use crate::log::Log;
use crate::project::Project;
use crate::setup::{GuestKernel, LINUX_6_1, LINUX_6_12, LINUX_7};
use crate::simulation::End;
use crate::test::checks::{Checks, told};

/// What the guest does.
const SCRIPT: &str = include_str!("boot.sh");
/// How that ends.
const STATUS: u8 = 42;

/// A kernel and the number of its processors.
type Combination = (&'static GuestKernel, u32);

/// What every change must boot.
const ORDINARY: [Combination; 4] =
    [(&LINUX_6_1, 1), (&LINUX_6_12, 4), (&LINUX_7, 1), (&LINUX_7, 4)];
/// What is left then.
const REST: [Combination; 2] = [(&LINUX_6_1, 4), (&LINUX_6_12, 1)];

/// Boots kernels with one and with four processors.
///
/// # Errors
///
/// A kernel, busybox or QEMU is missing, or there is no run to speak of.
pub(in super::super) fn test(project: &Project, depth: Depth, log: &mut Log) -> Result<Counts> {
    let rest: &[Combination] = match depth {
        Depth::Ordinary => &[],
        Depth::Thorough => &REST,
    };
    let mut checks = Checks::new(log);
    for (kernel, cpus) in ORDINARY.iter().chain(rest) {
        let mut guest = Guest::new(project, kernel, SCRIPT)?;
        guest.request.platform.cpus = *cpus;
        checks.log().say(&format!("=== {} with {cpus} processors", kernel.name()))?;
        let recording = record(project, &guest.request, checks.log())?;
        judge(&recording, *cpus, &mut checks)?;
    }
    secure_tsc::check(project, &mut checks)?;
    Ok(checks.counts())
}

/// Compares what the guest found with what there is.
fn judge(recording: &Recording, cpus: u32, checks: &mut Checks<'_>) -> Result<()> {
    let Recording { outcome, console, .. } = recording;
    let cpus = cpus.to_string();
    for (subject, expected) in [
        ("memory encryption", "AMD SEV SEV-ES SEV-SNP"),
        ("processors", &cpus),
        ("shared buffers", "1"),
        ("memory written", "1"),
        ("memory changed", "0"),
        ("slept a second", "1"),
        ("processors that worked", &cpus),
        ("complaints", "0"),
    ] {
        checks.same(subject, told(console, subject), expected)?;
    }
    checks.same("exit status", &exit_status(console), &Some(STATUS))?;
    checks.same("end", &outcome.end, &End::Told(report::End::PoweredOff))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use abi_simulator::report;

    use super::{Checks, End, Recording, judge};
    use crate::log::Log;
    use crate::simulation::Outcome;

    const CONSOLE: &str = "\
memory encryption: AMD SEV SEV-ES SEV-SNP \r
processors: 4\r
shared buffers: 1\r
memory written: 1\r
memory changed: 0\r
slept a second: 1\r
processors that worked: 4\r
complaints: 0\r
\r
svsm-guest: exit status 42\r
";

    fn failed(console: &str, end: report::End) -> anyhow::Result<usize> {
        let folder = tempfile::tempdir()?;
        let mut log = Log::create(folder.path().join("log"))?;
        let mut checks = Checks::new(&mut log);
        let end = End::Told(end);
        let (launch_digest, statistics, took) = (None, None, Duration::ZERO);
        let outcome = Outcome { end, launch_digest, statistics, took };
        judge(
            &Recording { outcome, console: console.to_owned(), told: Vec::new() },
            4,
            &mut checks,
        )?;
        Ok(checks.counts().failed)
    }

    #[test]
    fn a_good_run_has_nothing_wrong() -> anyhow::Result<()> {
        assert_eq!(failed(CONSOLE, report::End::PoweredOff)?, 0);
        Ok(())
    }

    #[test]
    fn every_difference_is_seen() -> anyhow::Result<()> {
        for (from, to) in [
            (" SEV-SNP", ""),
            ("processors: 4", "processors: 1"),
            ("buffers: 1", "buffers: 0"),
            ("written: 1", "written: 0"),
            ("changed: 0", "changed: 2"),
            ("second: 1", "second: 0"),
            ("worked: 4", "worked: 3"),
            ("complaints: 0", "complaints: 1"),
            ("status 42", "status 1"),
        ] {
            let changed = CONSOLE.replace(from, to);
            assert_eq!(failed(&changed, report::End::PoweredOff)?, 1, "{from}");
        }
        assert_eq!(failed(CONSOLE, report::End::Stalled)?, 1);
        assert_eq!(failed("", report::End::PoweredOff)?, 9);
        Ok(())
    }
}
