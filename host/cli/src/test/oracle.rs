//! Runs the tests of `tests/oracle`, where a verifier that others wrote judges
//! attestation reports.

use anyhow::Result;

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
    let mut command = project.workspace.cargo("test", project.session.network);
    command.args(["--no-fail-fast", "--manifest-path", "tests/oracle/Cargo.toml"]);
    command.arg("--target-dir").arg(project.workspace.target().join("oracle"));
    let result = log.run(&mut command);
    let counts = libtest::counts(&log.text()?);
    if result.is_err() && counts.failed == 0 {
        result?;
    }
    Ok(counts)
}
