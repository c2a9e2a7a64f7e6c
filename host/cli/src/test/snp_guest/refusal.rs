//! What is wrong with an image or its start fails as on hardware.

use abi_simulator::report;
use abi_snp::{SevFeatures, Vmpl};
use anyhow::{Context, Result};

use super::super::depth::Depth;
use super::super::recorder::record;
use super::guest::Guest;
use super::owner;
use crate::jobs::Counts;
use crate::log::Log;
use crate::project::Project;
use crate::setup::{GuestKernel, LINUX_6_1, LINUX_6_12, LINUX_7};
use crate::simulation::End;
use crate::test::checks::Checks;

/// Not reached.
const SCRIPT: &str = "exit 1";

/// Starts what is wrong.
///
/// # Errors
///
/// A kernel, busybox or QEMU is missing, or there is no run to speak of.
pub(in super::super) fn test(project: &Project, depth: Depth, log: &mut Log) -> Result<Counts> {
    let mut checks = Checks::new(log);
    flipped_byte(project, &mut checks)?;
    below_the_top(project, depth, &mut checks)?;
    unknown_features(project, depth, &mut checks)?;
    Ok(checks.counts())
}

/// An image with one wrong byte has another digest, so its owner's signature
/// does not let it start. (Signed images that are whole start in `attestation`.)
fn flipped_byte(project: &Project, checks: &mut Checks<'_>) -> Result<()> {
    checks.log().say("=== one flipped byte")?;
    let mut guest = Guest::new(project, &LINUX_6_1, SCRIPT)?;
    let image = guest.image()?;
    let signed = owner::signed(&image)?;
    let mut flipped = signed.clone();
    // Pages are all that is in the middle of the file.
    let middle = flipped.len() / 2;
    let byte = flipped.get_mut(middle).context("the image is empty")?;
    *byte ^= 0x10;
    let [demanded, actual] = [owner::digest(&signed)?, owner::digest(&flipped)?];
    checks.same("ID block leaves the digest alone", &demanded, &owner::digest(&image)?)?;
    checks.same("flipped byte changes the digest", &(actual != demanded), &true)?;

    guest.replace_image(&flipped)?;
    let end = record(project, &guest.request, checks.log())?.outcome.end;
    let mentions_both = matches!(&end, End::Told(report::End::Refused { text })
        if [demanded, actual].iter().all(|digest| text.contains(&digest.to_string())));
    checks.same("refusal names both digests", &mentions_both, &true)
}

/// Linux up to 6.10 knows no module above it and insists on VMPL0; later it
/// misses the module that should have announced itself.
fn below_the_top(project: &Project, depth: Depth, checks: &mut Checks<'_>) -> Result<()> {
    let later: &[(&GuestKernel, u8)] = match depth {
        Depth::Ordinary => &[],
        Depth::Thorough => &[(&LINUX_6_12, 7), (&LINUX_7, 7)],
    };
    for (kernel, reason_code) in [(&LINUX_6_1, 3)].iter().chain(later) {
        checks.log().say(&format!("=== {} at VMPL1", kernel.name()))?;
        let mut guest = Guest::new(project, kernel, SCRIPT)?;
        guest.request.platform.vmpl = Some(Vmpl::Vmpl1);
        let expected = Termination { vmpl: 1, reason_set: 1, reason_code: *reason_code };
        terminates(project, &guest, expected, checks)?;
    }
    Ok(())
}

/// Linux refuses features that need its help and that it does not know: none of
/// these kernels knows restricted injection, and 6.1 knows no debug register
/// swapping either.
fn unknown_features(project: &Project, depth: Depth, checks: &mut Checks<'_>) -> Result<()> {
    const INJECTION: SevFeatures = SevFeatures::RESTRICTED_INJECTION;
    let more: &[(&GuestKernel, SevFeatures)] = match depth {
        Depth::Ordinary => &[],
        Depth::Thorough => &[
            (&LINUX_6_1, SevFeatures::DEBUG_SWAP),
            (&LINUX_6_12, INJECTION),
            (&LINUX_7, INJECTION),
        ],
    };
    for (kernel, feature) in [(&LINUX_6_1, INJECTION)].iter().chain(more) {
        checks.log().say(&format!("=== {} with {feature}", kernel.name()))?;
        let guest = Guest::with_features(project, kernel, SCRIPT, *feature)?;
        let expected = Termination { vmpl: 0, reason_set: 0, reason_code: 2 };
        terminates(project, &guest, expected, checks)?;
    }
    Ok(())
}

/// How a guest ends itself.
struct Termination {
    vmpl: u8,
    reason_set: u8,
    reason_code: u8,
}

fn terminates(
    project: &Project,
    guest: &Guest,
    expected: Termination,
    checks: &mut Checks<'_>,
) -> Result<()> {
    let end = record(project, &guest.request, checks.log())?.outcome.end;
    let Termination { vmpl, reason_set, reason_code } = expected;
    let text = match &end {
        End::Told(report::End::Terminated { text, .. }) => text.clone(),
        _ => String::new(),
    };
    let expected = report::End::Terminated { vcpu: 0, vmpl, reason_set, reason_code, text };
    checks.same("end", &end, &End::Told(expected))
}
