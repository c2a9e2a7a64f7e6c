//! `svsm bench guest`: what the module costs its guest, in instructions, requests
//! to the host and processor time.
//!
//! The platform simulator counts, with a nanosecond for each instruction, so the
//! same source gives the same figures on any machine; only processor time is this
//! machine's.
//!
//! | file | what |
//! |---|---|
//! | `calls` | what calls cost, by a guest that does nothing else |
//! | `caller` | that guest |
//! | `boots` | Linux with and without the module, and the way to its entry |

mod boots;
mod caller;
mod calls;

use anyhow::Result;

use super::sheet::{Form, Sheet};
use crate::failure::Verdict;
use crate::log::Log;
use crate::project::Project;

/// Arguments of `svsm bench guest`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    form: Form,
}

/// Measures. Bad if a budget is exceeded.
///
/// # Errors
///
/// An image cannot be built, or a machine does not come to its end.
pub(crate) fn run(arguments: &Arguments, project: &Project) -> Result<Verdict> {
    let output = project.workspace.output().join("bench");
    let mut log = Log::create(output.join("guest.log"))?;
    let terminal = project.session.terminal;
    let spinner = terminal.busy("calls");
    let mut figures = calls::measure(project, &mut log)?;
    drop(spinner);
    let spinner = terminal.busy("boots");
    figures.extend(boots::measure(project, &mut log)?);
    drop(spinner);
    let columns = vec!["Count".to_owned()];
    Sheet { topic: "Guest", columns, figures }.report(&arguments.form, project)
}
