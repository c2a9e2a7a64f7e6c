//! What a guest found, compared with what there is.

use abi_simulator::report;
use anyhow::Result;
use svsm_initrd::console::exit_status;

use super::super::checks::{Checks, told, told_bytes};
use super::super::recorder::Recording;
use super::random_numbers::are_random;
use crate::simulation::End;

/// How the script ends.
pub(super) const STATUS: u8 = 42;

/// Compares all but the reports. The guest has `cpus` processors, and the digest
/// that it must find of its disk begins with `disk`.
///
/// # Errors
///
/// The log cannot be written.
pub(super) fn judge(
    recording: &Recording,
    cpus: u32,
    disk: &str,
    checks: &mut Checks<'_>,
) -> Result<()> {
    let Recording { outcome, console, .. } = recording;
    let restarts = (cpus - 1).to_string();
    let cpus = cpus.to_string();
    for (subject, expected) in [
        ("memory encryption", "AMD SEV SEV-ES SEV-SNP"),
        ("privilege level", "2"),
        ("processors", &cpus),
        ("shared buffers", "1"),
        ("processors left", "1"),
        ("processors stopped", &restarts),
        ("processors restarted", &restarts),
        ("memory used", "1"),
        ("memory changed", "0"),
        ("memory freed", "1"),
        ("disk", disk),
        ("disk changed", "0"),
        ("complaints", "0"),
    ] {
        checks.same(subject, told(console, subject), expected)?;
    }
    let random = told_bytes(console, "random numbers");
    checks.same("random numbers", &random.is_some_and(|bytes| are_random(&bytes)), &true)?;
    checks.same("exit status", &exit_status(console), &Some(STATUS))?;
    checks.same("end", &outcome.end, &End::Told(report::End::PoweredOff))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::log::Log;
    use crate::simulation::Outcome;

    const CONSOLE: &str = "\
memory encryption: AMD SEV SEV-ES SEV-SNP\r
privilege level: 2\r
processors: 4\r
shared buffers: 1\r
processors left: 1\r
processors stopped: 3\r
processors restarted: 3\r
memory used: 1\r
memory changed: 0\r
memory freed: 1\r
disk: 0123\r
disk changed: 0\r
complaints: 0\r
\r
svsm-guest: exit status 42\r
";

    fn failed(console: &str, end: report::End) -> Result<usize> {
        let folder = tempfile::tempdir()?;
        let mut log = Log::create(folder.path().join("log"))?;
        let mut checks = Checks::new(&mut log);
        let end = End::Told(end);
        let (launch_digest, statistics, took) = (None, None, Duration::ZERO);
        let outcome = Outcome { end, launch_digest, statistics, took };
        let recording = Recording { outcome, console: console.to_owned(), told: Vec::new() };
        judge(&recording, 4, "0123", &mut checks)?;
        Ok(checks.counts().failed)
    }

    fn good() -> String {
        let words = (1..=super::super::random_numbers::WORDS).map(|word| format!("{word:016x}"));
        format!("random numbers: {}\r\n{CONSOLE}", words.collect::<String>())
    }

    #[test]
    fn a_good_run_has_nothing_wrong() -> Result<()> {
        assert_eq!(failed(&good(), report::End::PoweredOff)?, 0);
        Ok(())
    }

    #[test]
    fn every_difference_is_seen() -> Result<()> {
        for (from, to) in [
            (" SEV-SNP", ""),
            ("level: 2", "level: 0"),
            ("processors: 4", "processors: 1"),
            ("buffers: 1", "buffers: 0"),
            ("left: 1", "left: 2"),
            ("stopped: 3", "stopped: 2"),
            ("restarted: 3", "restarted: 2"),
            ("used: 1", "used: 0"),
            ("memory changed: 0", "memory changed: 2"),
            ("freed: 1", "freed: 0"),
            ("disk: 0123", "disk: 4567"),
            ("disk changed: 0", "disk changed: 5"),
            ("complaints: 0", "complaints: 1"),
            ("numbers: 0", "numbers: x"),
            ("status 42", "status 1"),
        ] {
            let changed = good().replace(from, to);
            assert_eq!(failed(&changed, report::End::PoweredOff)?, 1, "{from}");
        }
        assert_eq!(failed(&good(), report::End::Stalled)?, 1);
        assert_eq!(failed("", report::End::PoweredOff)?, 15);
        Ok(())
    }
}
