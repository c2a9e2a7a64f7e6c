//! The conformance guest as the guest of the module: it makes calls that nobody
//! should make, and the module has to answer each as specified and go on.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use abi_simulator::launch::CpuidAdditions;
use abi_snp::SevFeatures;
use anyhow::{Context, Result};
use svsm_image::bare_guest::{Place, wrap};
use svsm_image::elf::parse_kernel;
use svsm_image::manifest::LinuxPayload;

use super::runs::{Launch, all_endings, checks};
use crate::build;
use crate::jobs::Counts;
use crate::log::Log;
use crate::module_image::image_in;
use crate::output_file;
use crate::project::Project;
use crate::simulation::Platform;
use crate::test::attacked_image;
use crate::test::depth::Depth;

/// The guest's package, and cargo's profile for it.
const PACKAGE: &str = "conformance";
const PROFILE: &str = "module";
/// Where the guest lies: below the module's region. How much memory it takes, it
/// knows itself: `tests/conformance/src/machine/below.rs`.
const PLACE: Place = Place { address: 0x0200_0000, size: 0x0200_0000 };
/// What a hostile host does to the module and this guest.
const SCENARIOS: &str = "simulator/scenarios/guest";
/// Numbers of processors that the checks run with.
const PROCESSORS: [u32; 2] = [1, 4];

/// Builds the module with this guest, runs it and counts its checks and endings.
///
/// # Errors
///
/// The guest, the module or the simulator cannot be built, QEMU is missing, or
/// what the guest says cannot be understood.
pub(in super::super) fn test(project: &Project, log: &mut Log) -> Result<Counts> {
    let image = image(project, log)?;
    let mut counts = Counts::default();
    for processors in PROCESSORS {
        counts = counts.plus(checks(project, Launch::new(&image, processors), log)?);
    }
    let additions = CpuidAdditions::INVLPGB;
    let shown = Launch { additions, ..Launch::new(&image, 4) };
    counts = counts.plus(checks(project, shown, log)?);
    Ok(counts.plus(all_endings(project, &image, log)?))
}

/// Runs the module with this guest under a hostile host.
///
/// # Errors
///
/// As [`test()`]; or a scenario says nothing that can be tested.
pub(in super::super) fn test_hostile_host(
    project: &Project,
    depth: Depth,
    log: &mut Log,
) -> Result<Counts> {
    let image = image(project, log)?;
    let scenarios = attacked_image::scenarios(project, SCENARIOS, &["module"], depth)?;
    attacked_image::test(project, &image, scenarios.iter(), log)
}

/// Builds the module with the conformance guest below it.
fn image(project: &Project, log: &mut Log) -> Result<PathBuf> {
    let programs = build::compile(project, &BTreeSet::from([PACKAGE]), PROFILE, log.stream()?)?;
    let program = programs.get(PACKAGE).context("cargo has built no guest")?;
    let unreadable = || format!("cannot read {}", program.display());
    let program = parse_kernel(&fs::read(program).with_context(unreadable)?)?;
    let folder = project.workspace.output().join("hostile-guest");
    let kernel = folder.join("guest");
    output_file::write(&kernel, &wrap(&program, PLACE)?)?;
    let guest = LinuxPayload { kernel, initrd: None, command_line: String::new() };
    let c_bit = Platform::default().c_bit;
    image_in(&folder, project, Some(guest), c_bit, SevFeatures::empty(), log.stream()?)
}
