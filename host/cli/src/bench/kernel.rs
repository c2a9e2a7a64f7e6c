//! `svsm bench kernel`: what the kernel costs, in instructions, exits and memory.
//!
//! The platform simulator counts, with a nanosecond for each instruction, so the
//! same source gives the same figures on any machine. What runs is the kernel
//! with tests (`images/kernel-trials.toml`), which can measure its own
//! operations; its size is that of the default image.
//!
//! | file | what |
//! |---|---|
//! | `machines` | what it runs on, and what a run gives |
//! | `figures` | the table's rows, and budgets |

mod figures;
mod machines;

use anyhow::{Context, Result};

use self::figures::all_figures;
use self::machines::{MACHINES, measure};
use super::sheet::{Form, Sheet};
use crate::build;
use crate::failure::Verdict;
use crate::log::Log;
use crate::project::Project;

/// Arguments of `svsm bench kernel`.
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
    let mut log = Log::create(output.join("kernel.log"))?;
    let image = build::default_image(project, log.stream()?)?;
    let size = std::fs::metadata(&image.igvm).context("the image is gone")?.len();
    let mut counts = Vec::new();
    for machine in MACHINES {
        let spinner = project.session.terminal.busy(&machine.to_string());
        counts.push(measure(project, machine, &mut log).with_context(|| machine.to_string())?);
        drop(spinner);
    }
    let columns = MACHINES.map(|machine| machine.to_string()).to_vec();
    let figures = all_figures(size, &counts);
    Sheet { topic: "Kernel", columns, figures }.report(&arguments.form, project)
}
