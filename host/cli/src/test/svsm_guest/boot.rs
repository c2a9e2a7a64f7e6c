//! Stock kernels boot below the module and use what it offers.

use abi_simulator::report;
use abi_snp::SevFeatures;
use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use svsm_initrd::console::exit_status;

use super::super::depth::Depth;
use super::super::recorder::record;
use super::findings::{self, STATUS};
use super::guest::{Guest, Size};
use super::random_numbers;
use super::reports::{self, Expected, Nonce, UNKNOWN_SERVICE};
use crate::jobs::Counts;
use crate::log::Log;
use crate::project::Project;
use crate::setup::{GuestKernel, LINUX_6_1, LINUX_6_12, LINUX_7};
use crate::simulation::End;
use crate::test::checks::Checks;

/// What the guest does.
const SCRIPT: &str = include_str!("guest.sh");

/// A kernel and its machine.
type Combination = (&'static GuestKernel, Size);

const fn size(cpus: u32, memory_mib: u64) -> Size {
    Size { cpus, memory_mib, features: SevFeatures::empty() }
}

/// The module's level takes no event but #HV.
const RESTRICTED: Size = Size { features: SevFeatures::RESTRICTED_INJECTION, ..size(4, 512) };

/// What every change must boot.
const ORDINARY: [Combination; 3] =
    [(&LINUX_7, size(2, 512)), (&LINUX_6_12, size(4, 2048)), (&LINUX_7, RESTRICTED)];
/// What is left then.
const REST: [Combination; 10] = [
    (&LINUX_6_12, size(1, 512)),
    (&LINUX_6_12, size(4, 512)),
    (&LINUX_6_12, size(1, 2048)),
    (&LINUX_7, size(1, 512)),
    (&LINUX_7, size(4, 512)),
    (&LINUX_7, size(1, 2048)),
    (&LINUX_7, size(4, 2048)),
    (&LINUX_7, size(16, 512)),
    (&LINUX_7, size(2, 5120)),
    (&LINUX_6_12, RESTRICTED),
];

/// Bytes of half of the disk, random ones.
const HALF_DISK: usize = 8 << 20;

/// Boots kernels below the module and judges what they did.
///
/// # Errors
///
/// The module does not compile, a kernel, busybox or QEMU is missing, or there
/// is no run to speak of.
pub(in super::super) fn test(project: &Project, depth: Depth, log: &mut Log) -> Result<Counts> {
    let rest: &[Combination] = match depth {
        Depth::Ordinary => &[],
        Depth::Thorough => &REST,
    };
    let mut checks = Checks::new(log);
    too_old(project, &mut checks)?;
    for (kernel, size) in ORDINARY.iter().chain(rest) {
        boots(project, kernel, *size, &mut checks)?;
    }
    Ok(checks.counts())
}

/// A kernel from before there were modules insists on VMPL0, where it is not.
fn too_old(project: &Project, checks: &mut Checks<'_>) -> Result<()> {
    /// Linux's own reasons, and the one for "not at VMPL0".
    const REASON: (u8, u8) = (1, 3);
    checks.log().say(&format!("=== {} below the module", LINUX_6_1.name()))?;
    let messages = checks.log().stream()?;
    let guest = Guest::new(project, &LINUX_6_1, size(1, 512), "exit 1", messages)?;
    let end = record(project, &guest.request, checks.log())?.outcome.end;
    let found = match end {
        End::Told(report::End::Terminated { vcpu, vmpl, reason_set, reason_code, .. }) => {
            Ok((vcpu, vmpl, (reason_set, reason_code)))
        }
        end => Err(end),
    };
    checks.same("end", &found, &Ok((0, 2, REASON)))
}

fn boots(
    project: &Project,
    kernel: &GuestKernel,
    size: Size,
    checks: &mut Checks<'_>,
) -> Result<()> {
    let Size { cpus, memory_mib, features } = size;
    let name = kernel.name();
    let features = SevFeatures::SNP_ACTIVE | features;
    checks.log().say(&format!("=== {name}, {cpus} processors, {memory_mib} MiB, {features}"))?;
    let (mut nonce, mut own_nonce): (Nonce, Nonce) = ([0; 64], [0; 64]);
    let mut first_half = vec![0; HALF_DISK];
    for bytes in [&mut nonce[..], &mut own_nonce, &mut first_half] {
        random(bytes)?;
    }
    let [nonce_text, own_text] = [&nonce, &own_nonce].map(|nonce| escapes(nonce));
    let program = escapes(&random_numbers::program());
    let script = format!(
        "nonce='{nonce_text}'\nown_nonce='{own_text}'\nunknown={UNKNOWN_SERVICE}\n\
         program='{program}'\n{SCRIPT}"
    );
    let messages = checks.log().stream()?;
    let mut guest = Guest::new(project, kernel, size, &script, messages)?;
    let disk = guest.attach_disk(&[first_half.as_slice(), &[0; HALF_DISK]].concat())?;

    let recording = record(project, &guest.request, checks.log())?;
    findings::judge(&recording, cpus, &sum(&first_half), checks)?;
    let after = std::fs::read(&disk).context("cannot read the disk")?;
    checks.same("disk's second half", &(after.get(HALF_DISK..) == Some(&first_half)), &true)?;
    checks.same("digest", &recording.outcome.launch_digest, &Some(guest.digest.to_string()))?;
    if exit_status(&recording.console) != Some(STATUS) {
        // Then there are no reports.
        return Ok(());
    }
    let expected = Expected { nonce: &nonce, own_nonce: &own_nonce, digest: guest.digest };
    reports::judge(project, &recording.console, expected, checks)
}

fn random(bytes: &mut [u8]) -> Result<()> {
    getrandom::fill(bytes).context("the operating system has no random numbers")
}

/// Bytes as printf takes them.
fn escapes(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect()
}

/// SHA-256, in digits.
fn sum(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::escapes;

    #[test]
    fn bytes_are_escaped() {
        assert_eq!(escapes(&[0, 0x41, 0xff]), "\\x00\\x41\\xff");
    }
}
