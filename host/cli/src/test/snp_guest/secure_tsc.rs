//! A stock kernel whose time stamp counter is its own.

use abi_simulator::report;
use abi_snp::SevFeatures;
use anyhow::Result;
use svsm_initrd::console::exit_status;

use super::super::recorder::{Recording, record};
use super::guest::Guest;
use crate::project::Project;
use crate::setup::LINUX_7;
use crate::simulation::End;
use crate::test::checks::{Checks, told};

/// What the guest does.
const SCRIPT: &str = include_str!("secure_tsc.sh");
/// How that ends.
const STATUS: u8 = 42;
/// The kernel asks the security processor for the counter of all but the first.
const PROCESSORS: u32 = 4;

/// Boots the kernel of Debian 14, which knows Secure TSC: it takes the counter's
/// frequency from the processor, and needs no other clock.
///
/// # Errors
///
/// The kernel, busybox or QEMU is missing, or there is no run to speak of.
pub(super) fn check(project: &Project, checks: &mut Checks<'_>) -> Result<()> {
    checks.log().say(&format!("=== {} with Secure TSC", LINUX_7.name()))?;
    let mut guest = Guest::with_features(project, &LINUX_7, SCRIPT, SevFeatures::SECURE_TSC)?;
    guest.request.platform.cpus = PROCESSORS;
    let Recording { outcome, console, .. } = record(project, &guest.request, checks.log())?;
    let processors = PROCESSORS.to_string();
    for (subject, expected) in [
        ("features", "SEV SEV-ES SEV-SNP SecureTSC"),
        ("processors", &processors),
        ("clock", "tsc"),
        ("doubts", "0"),
        ("three seconds", "1"),
    ] {
        checks.same(subject, told(&console, subject), expected)?;
    }
    checks.same("exit status", &exit_status(&console), &Some(STATUS))?;
    checks.same("end", &outcome.end, &End::Told(report::End::PoweredOff))
}
