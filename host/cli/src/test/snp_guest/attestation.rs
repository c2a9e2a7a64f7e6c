//! Guests fetch attestation reports, which say what was launched, and which a
//! verifier that others wrote believes.

use abi_simulator::report;
use abi_snp::AttestationReport;
use anyhow::{Context, Result, bail};
use svsm_initrd::console::exit_status;
use zerocopy::FromBytes;

use super::super::depth::Depth;
use super::super::oracle;
use super::super::recorder::{Recording, record};
use super::guest::Guest;
use super::owner;
use crate::jobs::Counts;
use crate::log::Log;
use crate::project::Project;
use crate::setup::{GuestKernel, LINUX_6_12, LINUX_7};
use crate::simulation::End;
use crate::test::checks::{Checks, told, told_bytes};

/// What the guest does.
const SCRIPT: &str = include_str!("attest.sh");
/// How that ends.
const STATUS: u8 = 42;

/// A kernel and the version of the reports that its platform makes.
type Combination = (&'static GuestKernel, u8);

/// What every change must do.
const ORDINARY: [Combination; 1] = [(&LINUX_7, 3)];
/// What is left then. Linux has the interface since 6.7.
const REST: [Combination; 5] =
    [(&LINUX_7, 2), (&LINUX_7, 5), (&LINUX_6_12, 2), (&LINUX_6_12, 3), (&LINUX_6_12, 5)];

/// Starts guests from signed images and judges the reports that they fetch.
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
    for (kernel, version) in ORDINARY.iter().chain(rest) {
        checks.log().say(&format!("=== {}, report version {version}", kernel.name()))?;
        attest(project, kernel, *version, &mut checks)?;
    }
    Ok(checks.counts())
}

fn attest(
    project: &Project,
    kernel: &GuestKernel,
    version: u8,
    checks: &mut Checks<'_>,
) -> Result<()> {
    let mut nonce = [0; 64];
    getrandom::fill(&mut nonce).context("the operating system has no random numbers")?;
    let escapes: String = nonce.iter().map(|byte| format!("\\x{byte:02x}")).collect();
    let mut guest = Guest::new(project, kernel, &format!("nonce='{escapes}'\n{SCRIPT}"))?;
    guest.request.platform.report_version = version;
    let image = guest.image()?;
    let digest = owner::digest(&image)?;
    guest.replace_image(&owner::signed(&image)?)?;

    let Recording { outcome, console, .. } = record(project, &guest.request, checks.log())?;
    checks.same("end", &outcome.end, &End::Told(report::End::PoweredOff))?;
    let status = exit_status(&console);
    checks.same("exit status", &status, &Some(STATUS))?;
    if status != Some(STATUS) {
        // Then there is no report.
        return Ok(());
    }
    checks.same("digest of the launch", &outcome.launch_digest, &Some(digest.to_string()))?;
    checks.same("provider", told(&console, "provider"), "sev_guest")?;

    let report = told_bytes(&console, "report").context("the guest's report is unreadable")?;
    let chain = project.toolbox.endorsement()?.chain().clone();
    let verdict = oracle::judge(project, &chain, &report, checks.log());
    checks.same("judgment of another verifier", &verdict.is_ok(), &true)?;
    let certificates = told_bytes(&console, "certificates").context("they are unreadable")?;
    checks.same("certificates", &certificates, &chain.certificate_table())?;

    let Ok(report) = AttestationReport::read_from_bytes(&report) else {
        bail!("the guest's report has {} bytes", report.len());
    };
    checks.same("version", &report.version(), &version.into())?;
    checks.same("nonce", &report.report_data, &nonce)?;
    checks.same("measurement", &report.measurement, &digest)?;
    checks.same("privilege level", &report.vmpl, &0)?;
    checks.same("owner", &report.id_key_digest, &owner::key()?.digest())?;
    checks.same("family", &report.family_id, &owner::IDENTITY.family_id)?;
    checks.same("image", &report.image_id, &owner::IDENTITY.image_id)?;
    checks.same("security version", &report.guest_svn, &owner::IDENTITY.guest_svn)
}
