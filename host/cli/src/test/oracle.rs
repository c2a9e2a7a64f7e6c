//! `tests/oracle`, where a verifier that others wrote judges attestation
//! reports: its own tests, and reports that guests have fetched.

use std::process::Command;

use anyhow::{Context, Result};
use svsm_endorsement::Chain;

use super::libtest;
use crate::jobs::Counts;
use crate::log::Log;
use crate::project::Project;

/// Builds the verifier and runs its tests.
///
/// # Errors
///
/// It cannot be built.
pub(super) fn test(project: &Project, log: &mut Log) -> Result<Counts> {
    let mut command = cargo(project, "test");
    command.arg("--no-fail-fast");
    let result = log.run(&mut command);
    let counts = libtest::counts(&log.text()?);
    if result.is_err() && counts.failed == 0 {
        result?;
    }
    Ok(counts)
}

/// Lets the verifier judge `report` against the public certificates of `chain`.
/// What it says goes to the log.
///
/// # Errors
///
/// The report does not hold, or the verifier cannot be built.
pub(super) fn judge(project: &Project, chain: &Chain, report: &[u8], log: &mut Log) -> Result<()> {
    let folder = tempfile::tempdir().context("cannot create a folder for certificates")?;
    for file in chain.public_files() {
        std::fs::write(folder.path().join(file.name), file.content)?;
    }
    let path = folder.path().join("report");
    std::fs::write(&path, report)?;
    let mut command = cargo(project, "run");
    log.run(command.args(["--quiet", "--"]).arg(folder.path()).arg(path))
}

/// A subcommand of cargo for the verifier's workspace.
fn cargo(project: &Project, subcommand: &str) -> Command {
    let mut command = project.workspace.cargo(subcommand, project.session.network);
    command.args(["--manifest-path", "tests/oracle/Cargo.toml"]);
    command.arg("--target-dir").arg(project.workspace.target().join("oracle"));
    command
}
