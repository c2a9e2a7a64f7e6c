//! `svsm test`: checks, tests, reproducibility, boot, fuzz smoke; fast to slow.

mod attacked_image;
mod boot;
mod checks;
mod conformance;
mod depth;
mod guest;
mod kernel;
mod libtest;
mod listener;
mod machine;
mod oracle;
pub(crate) mod recorder;
mod reproducible;
mod scenario;
mod simulator;
mod snp_guest;
mod svsm_guest;
mod tpm;

use anyhow::{Result, bail};

use crate::build;
use crate::check;
use crate::doc;
use crate::failure::Verdict;
use crate::fuzz::{self, Effort};
use crate::jobs::{self, Counts, Job};
use crate::log::Log;
use crate::project::Project;
use crate::session::Session;
use depth::Depth;

/// Test cases of each property test and seconds of each fuzz target, with
/// `--all`.
const ALL_CASES: &str = "4096";
const ALL_SECONDS: u32 = 60;

/// Arguments of `svsm test`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo svsm test
  cargo svsm test unit boot
  cargo svsm test --list

All steps run even if one fails. What they print goes to
target/svsm/test-logs/NAME.log; the end of it is shown when a step fails.
The last line counts single tests and checks: `N passed, N failed`.")]
pub(crate) struct Arguments {
    /// Only steps whose name contains one of these words
    #[arg(value_name = "NAME")]
    filters: Vec<String>,
    /// Thoroughly: 4096 cases of each property test, a minute of each fuzz
    /// target, every kernel with one and with four processors, with and without the
    /// module, and every version of attestation reports in the simulator
    #[arg(long)]
    all: bool,
    /// Tell the steps' names and purposes, and run none
    #[arg(long)]
    list: bool,
}

/// Runs the command.
///
/// # Errors
///
/// No step has such a name, or the tree cannot be read.
pub(crate) fn run(arguments: &Arguments, session: Session) -> Result<Verdict> {
    let project = Project::open(session)?;
    let depth = if arguments.all { Depth::Thorough } else { Depth::Ordinary };
    let mut all = check::jobs(&project);
    all.extend(jobs(&project, depth));
    let jobs = check::select(all, &arguments.filters)?;
    if arguments.list {
        jobs::list(&jobs, session.terminal)?;
        return Ok(Verdict::Good);
    }
    check::run_and_tell(jobs, &project)
}

fn jobs(project: &Project, depth: Depth) -> Vec<Job<'_>> {
    vec![
        Job::new("unit", "tests beside the code", move |log| unit(project, depth, log)),
        Job::new("measurement", "launch digests of a firmware that others measured", |log| {
            measurement(project, log)
        }),
        Job::new("endorsement", "certificates and reports that another verifier accepts", |log| {
            oracle::test(project, log)
        }),
        Job::all_or_nothing("book", "book and API documentation", |log| {
            doc::site(project, log).map(drop)
        }),
        Job::new("boot", "the image boots in QEMU", |log| {
            let built = build::default_image(project, log.stream()?)?;
            boot::test(project, &built, log)
        }),
        Job::new("guest", "stock kernels boot with our ACPI tables and RAM disk", |log| {
            guest::test(project, log)
        }),
        Job::new("tpm", "tpm2-tools and Linux accept our TPM", |log| tpm::test(project, log)),
        Job::new("tpm-suite", "tpm2-tools' own tests pass with our TPM", |log| {
            tpm::run_suite(project, log)
        }),
        Job::new("tpm-compare", "swtpm and our TPM answer the same", move |log| {
            tpm::compare(project, depth, log)
        }),
        Job::new("simulator", "QEMU does what the platform simulator relies on", |log| {
            simulator::test(project, log)
        }),
        Job::new("conformance", "the platform simulator, checked by a guest from inside", |log| {
            conformance::test(project, log)
        }),
        Job::new("kernel", "the kernel, tested from inside", |log| kernel::test(project, log)),
        Job::new("hostile-guest", "a hostile guest does not get what it wants", |log| {
            conformance::below::test(project, log)
        }),
        Job::new(
            "hostile-host",
            "a hostile host gets neither the module nor its guest",
            move |log| conformance::below::test_hostile_host(project, depth, log),
        ),
        Job::new("snp-refuse", "what is wrong fails in the simulator as on hardware", move |log| {
            snp_guest::refusal::test(project, depth, log)
        }),
        Job::new("snp-attest", "another verifier believes a guest's report", move |log| {
            snp_guest::attestation::test(project, depth, log)
        }),
        Job::new("snp-hostile", "a hostile host does not get what it wants", move |log| {
            snp_guest::hostile::test(project, depth, log)
        }),
        Job::new("snp-repeat", "the same image twice is the same run", move |log| {
            snp_guest::repetition::test(project, depth, log)
        }),
        Job::new("snp-boot", "stock kernels boot as SNP guests in the simulator", move |log| {
            snp_guest::boot::test(project, depth, log)
        }),
        Job::new("svsm-guest", "stock kernels boot below the module and use it", move |log| {
            svsm_guest::boot::test(project, depth, log)
        }),
        Job::new("reproducible", "two folders, the same bytes", |log| {
            reproducible::test(project, log)
        }),
        Job::new("fuzz", "each fuzz target, briefly", move |log| {
            fuzz::smoke(project, effort(depth), log)
        }),
    ]
}

fn effort(depth: Depth) -> Effort {
    match depth {
        Depth::Ordinary => Effort::SMOKE,
        Depth::Thorough => Effort::Seconds(ALL_SECONDS),
    }
}

fn unit(project: &Project, depth: Depth, log: &mut Log) -> Result<Counts> {
    let mut command = project.workspace.cargo("test", project.session.network);
    command.arg("--no-fail-fast");
    if depth == Depth::Thorough {
        command.env("PROPTEST_CASES", ALL_CASES);
    }
    let result = log.run(&mut command);
    let counts = libtest::counts(&log.text()?);
    match result {
        // Tests that are ignored need files; the step `measurement` has them.
        Ok(()) => Ok(Counts { skipped: 0, ..counts }),
        Err(_) if counts.failed != 0 => Ok(Counts { skipped: 0, ..counts }),
        Err(error) => Err(error),
    }
}

/// Runs all tests that are marked as ignored, with the files they need.
fn measurement(project: &Project, log: &mut Log) -> Result<Counts> {
    let firmware = project.toolbox.firmware()?;
    let mut command = project.workspace.cargo("test", project.session.network);
    command.args(["--no-fail-fast", "--tests", "--", "--ignored"]).env("SVSM_TEST_OVMF", firmware);
    let result = log.run(&mut command);
    let counts = libtest::counts(&log.text()?);
    if result.is_err() && counts.failed == 0 {
        result?;
    }
    if counts == Counts::default() {
        bail!("no test is marked as ignored, so nothing was measured");
    }
    Ok(counts)
}
