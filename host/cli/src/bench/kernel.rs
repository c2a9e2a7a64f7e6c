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
//! | `book` | the table in the book, and what it said before |

mod book;
mod figures;
mod machines;

use anyhow::{Context, Result};

use self::book::{committed, markdown};
use self::figures::{Figure, Place, all_figures};
use self::machines::{MACHINES, measure};
use crate::build;
use crate::failure::Verdict;
use crate::log::Log;
use crate::output_file;
use crate::project::Project;
use crate::table::{self, Cell};
use crate::terminal::Tone;

/// Arguments of `svsm bench kernel`.
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
    let mut log = Log::create(output.join("kernel.log"))?;
    let image = build::default_image(project, log.stream()?)?;
    let size = std::fs::metadata(&image.igvm).context("the image is gone")?.len();
    let mut counts = Vec::new();
    for machine in MACHINES {
        let spinner = project.session.terminal.busy(&machine.to_string());
        counts.push(measure(project, machine, &mut log).with_context(|| machine.to_string())?);
        drop(spinner);
    }
    let figures = all_figures(size, &counts);
    let json = serde_json::to_string_pretty(&figures)?;
    output_file::write(&output.join("kernel.json"), (json + "\n").as_bytes())?;

    let terminal = project.session.terminal;
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

/// The table for people: where a figure differs from the book's, both.
fn rows(figures: &[Figure], committed: &[Figure]) -> Vec<Vec<Cell>> {
    let heading = ["figure".to_owned()].into_iter().chain(MACHINES.map(|m| m.to_string()));
    let heading = heading.chain(["budget".to_owned()]);
    let mut rows = vec![heading.map(|text| Cell::words(text).tone(Tone::Strong)).collect()];
    for figure in figures {
        let before = committed.iter().find(|before| before.name == figure.name);
        let mut row = vec![Cell::words(&figure.name)];
        for place in Place::all() {
            let now = figure.at(place);
            let before = before.map(|before| before.at(place));
            let text = match (now, before) {
                (None, _) => String::new(),
                (Some(now), Some(Some(before))) if before != now => format!("{now} (was {before})"),
                (Some(now), _) => now.to_string(),
            };
            let tone = match now {
                Some(now) if figure.budget.is_some_and(|budget| now > budget) => Tone::Bad,
                _ if before.is_some_and(|before| before != now) => Tone::Notable,
                _ => Tone::Normal,
            };
            row.push(Cell::figure(text).tone(tone));
        }
        row.push(Cell::figure(figure.budget.map_or(String::new(), |budget| budget.to_string())));
        rows.push(row);
    }
    rows
}
