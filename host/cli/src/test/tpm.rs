//! Software that others wrote judges our TPM.
//!
//! | file | who |
//! |---|---|
//! | `tools` | tpm2-tools, in scenarios written as shell scripts |
//! | `guest` | Linux in QEMU, through `-tpmdev emulator` |
//! | `migration` | QEMU, which moves a guest and its TPM |
//! | `suite` | tpm2-tools, by its own tests |
//! | `differential` | swtpm, by answering the same commands |

mod differential;
mod guest;
mod migration;
mod shell;
mod suite;
mod tools;

use anyhow::Result;

use crate::jobs::Counts;
use crate::log::Log;
use crate::project::Project;
use crate::test::depth::Depth;

/// Lets them judge.
///
/// # Errors
///
/// A program is missing and cannot be had, or one of them does not end.
pub(super) fn test(project: &Project, log: &mut Log) -> Result<Counts> {
    let counts = tools::test(project, log)?;
    let counts = counts.plus(guest::test(project, log)?);
    Ok(counts.plus(migration::test(project, log)?))
}

/// Runs tpm2-tools' own tests.
///
/// # Errors
///
/// A program is missing and cannot be had, or a file cannot be written.
pub(super) fn run_suite(project: &Project, log: &mut Log) -> Result<Counts> {
    suite::test(project, log)
}

/// Compares the device with swtpm.
///
/// # Errors
///
/// swtpm is missing and cannot be had, or it gives no responses.
pub(super) fn compare(project: &Project, depth: Depth, log: &mut Log) -> Result<Counts> {
    differential::test(project, depth, log)
}
