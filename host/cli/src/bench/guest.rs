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
//! | `figures` | the table |

mod boots;
mod caller;
mod calls;
mod figures;

use anyhow::{Context, Result};

use self::figures::{Figure, committed, markdown, rows};
use crate::failure::Verdict;
use crate::log::Log;
use crate::output_file;
use crate::project::Project;
use crate::table;

/// Arguments of `svsm bench guest`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Write the table for the book
    #[arg(long)]
    markdown: bool,
}

/// Where the book has the figures.
const BOOK: &str = "docs/src/figures.md";

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
    let json = serde_json::to_string_pretty(&figures)?;
    output_file::write(&output.join("guest.json"), (json + "\n").as_bytes())?;

    if arguments.markdown {
        terminal.line(markdown(&figures).trim_end())?;
    } else {
        let book = project.workspace.root().join(BOOK);
        let book = std::fs::read_to_string(&book)
            .with_context(|| format!("cannot read {}", book.display()))?;
        terminal.line(&table::render(&rows(&figures, &committed(&book)), terminal))?;
    }
    Ok(if figures.iter().all(Figure::keeps_budget) { Verdict::Good } else { Verdict::Bad })
}
