//! `svsm bench`: figures, measured on this machine.
//!
//! What is measured on this machine is a release build: a development build of
//! this program makes one and lets it measure. What the simulator counts is the
//! same for both.

mod guest;
mod kernel;
mod sheet;
mod tpm;

use anyhow::Result;

use crate::failure::Verdict;
use crate::project::Project;
use crate::session::Session;

/// What to measure.
#[derive(Debug, clap::Subcommand)]
#[command(after_help = "\
Examples:
  cargo svsm bench tpm
  cargo svsm bench tpm --samples 20 --markdown
  cargo svsm bench kernel
  cargo svsm bench guest

Figures also go to target/svsm/bench/NAME.json.")]
pub(crate) enum Arguments {
    /// What the module costs its guest: calls, start, boot
    Guest(guest::Arguments),
    /// Instructions, exits and memory of the kernel, counted by the simulator
    Kernel(kernel::Arguments),
    /// Latency of TPM commands: in process, over a socket, and swtpm's
    Tpm(tpm::Arguments),
}

/// Runs the command.
///
/// # Errors
///
/// What is needed is missing, or something that is measured fails.
pub(crate) fn run(arguments: &Arguments, session: Session) -> Result<Verdict> {
    let project = Project::open(session)?;
    match arguments {
        Arguments::Guest(arguments) => guest::run(arguments, &project),
        Arguments::Kernel(arguments) => kernel::run(arguments, &project),
        Arguments::Tpm(_) if cfg!(debug_assertions) => measure_released(&project),
        Arguments::Tpm(arguments) => tpm::run(arguments, &project),
    }
}

/// Runs the same command line with a release build.
fn measure_released(project: &Project) -> Result<Verdict> {
    let mut command = project.workspace.cargo("run", project.session.network);
    command.args(["--release", "--quiet", "--package", "svsm-cli", "--bin", "svsm", "--"]);
    let status = command.args(std::env::args_os().skip(1)).status()?;
    Ok(if status.success() { Verdict::Good } else { Verdict::Bad })
}
