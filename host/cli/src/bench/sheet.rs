//! A sheet of counted figures: a row for each, a column for each machine.
//!
//! The book has a table for each sheet. Figures are shown to people beside what
//! the book says, and written as the book wants them.

use std::fs;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::failure::Verdict;
use crate::output_file;
use crate::project::Project;
use crate::table::{self, Cell};
use crate::terminal::Tone;

/// Where the book has the figures.
const BOOK: &str = "docs/src/figures.md";

/// What is measured together.
#[derive(Debug)]
pub(super) struct Sheet<'a> {
    /// What it is called: the book has it under the same heading.
    pub(super) topic: &'a str,
    /// Where it was counted: the names of the columns.
    pub(super) columns: Vec<String>,
    /// The rows.
    pub(super) figures: Vec<Figure>,
}

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Figure {
    pub(super) name: String,
    /// By column; one that has the same everywhere has the first only.
    pub(super) counts: Vec<u64>,
    /// What none of them may exceed.
    pub(super) budget: Option<u64>,
}

/// For whom figures are shown: for people, if nothing else is asked for.
#[derive(Debug, clap::Args)]
pub(super) struct Form {
    /// Write the table for the book
    #[arg(long)]
    pub(super) markdown: bool,
}

impl Figure {
    /// A row without a budget.
    pub(super) fn new(name: impl Into<String>, counts: impl Into<Vec<u64>>) -> Self {
        Self { name: name.into(), counts: counts.into(), budget: None }
    }

    /// The same, with a budget.
    pub(super) fn within(self, budget: u64) -> Self {
        Self { budget: Some(budget), ..self }
    }

    /// Whether no count exceeds the budget.
    pub(super) fn keeps_budget(&self) -> bool {
        self.counts.iter().all(|count| self.allows(*count))
    }

    fn allows(&self, count: u64) -> bool {
        self.budget.is_none_or(|budget| count <= budget)
    }
}

impl Sheet<'_> {
    /// Shows the sheet, and keeps it among the outputs as JSON. Bad if a budget
    /// is exceeded.
    ///
    /// # Errors
    ///
    /// The book cannot be read, or the outputs cannot be written.
    pub(super) fn report(&self, form: &Form, project: &Project) -> Result<Verdict> {
        let output = project.workspace.output().join("bench");
        let json = serde_json::to_string_pretty(&self.figures)?;
        let file = output.join(format!("{}.json", self.topic.to_lowercase()));
        output_file::write(&file, (json + "\n").as_bytes())?;

        let terminal = project.session.terminal;
        if form.markdown {
            terminal.line(self.markdown().trim_end())?;
        } else {
            let book = project.workspace.root().join(BOOK);
            let book = fs::read_to_string(&book)
                .with_context(|| format!("cannot read {}", book.display()))?;
            let rows = self.rows(&self.committed(&book));
            terminal.line(&table::render(&rows, terminal))?;
        }
        let keeps_budgets = self.figures.iter().all(Figure::keeps_budget);
        Ok(if keeps_budgets { Verdict::Good } else { Verdict::Bad })
    }

    /// The table for the book.
    fn markdown(&self) -> String {
        let mut text = format!("| Figure | {} | Budget |\n", self.columns.join(" | "));
        text.push_str(&format!("|---|{}---:|\n", "---:|".repeat(self.columns.len())));
        for figure in &self.figures {
            let counts = (0..self.columns.len()).map(|column| figure.counts.get(column).copied());
            let cells: Vec<String> = counts.chain([figure.budget]).map(cell).collect();
            text.push_str(&format!("| {} | {} |\n", figure.name, cells.join(" | ")));
        }
        text
    }

    /// The figures that the book has, without budgets; none if it has no such
    /// table.
    fn committed(&self, book: &str) -> Vec<Figure> {
        let heading = format!("## {}", self.topic);
        let section = book.lines().skip_while(|line| line.trim() != heading).skip(1);
        let section = section.take_while(|line| !line.starts_with("## "));
        section.filter_map(|line| row(line, self.columns.len())).collect()
    }

    /// The table for people: where a figure differs from the book's, both.
    fn rows(&self, committed: &[Figure]) -> Vec<Vec<Cell>> {
        let heading = ["figure"].into_iter().chain(self.columns.iter().map(String::as_str));
        let heading = heading.chain(["budget"]);
        let mut rows = vec![heading.map(|text| Cell::words(text).tone(Tone::Strong)).collect()];
        for figure in &self.figures {
            let before = committed.iter().find(|before| before.name == figure.name);
            let mut row = vec![Cell::words(&figure.name)];
            for column in 0..self.columns.len() {
                let before = before.map(|before| before.counts.get(column).copied());
                row.push(figure.compared(column, before));
            }
            row.push(Cell::figure(cell(figure.budget)));
            rows.push(row);
        }
        rows
    }
}

impl Figure {
    /// What is shown in a column; `before` is what the book has there, if it has
    /// the row.
    fn compared(&self, column: usize, before: Option<Option<u64>>) -> Cell {
        let now = self.counts.get(column).copied();
        let text = match (now, before) {
            (Some(now), Some(Some(before))) if before != now => format!("{now} (was {before})"),
            (now, _) => cell(now),
        };
        let tone = match now {
            Some(now) if !self.allows(now) => Tone::Bad,
            _ if before.is_some_and(|before| before != now) => Tone::Notable,
            _ => Tone::Normal,
        };
        Cell::figure(text).tone(tone)
    }
}

fn cell(count: Option<u64>) -> String {
    count.map_or(String::new(), |count| count.to_string())
}

/// The figure of a line of a table with so many columns; `None` for any other
/// line.
fn row(line: &str, columns: usize) -> Option<Figure> {
    let cells: Vec<&str> = line.strip_prefix('|')?.strip_suffix('|')?.split('|').collect();
    let (name, rest) = cells.split_first()?;
    let cells = rest.get(..columns)?.iter();
    let counts: Vec<u64> = cells.map_while(|cell| cell.trim().parse().ok()).collect();
    (!counts.is_empty()).then(|| Figure::new(name.trim(), counts))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet(figures: Vec<Figure>) -> Sheet<'static> {
        Sheet { topic: "Kernel", columns: vec!["one".into(), "two".into()], figures }
    }

    #[test]
    fn the_book_gives_back_what_was_written() {
        let sheet = sheet(vec![Figure::new("image, bytes", [9]), Figure::new("switch", [1, 2])]);
        let table = sheet.markdown();
        let book = format!("# Figures\n\n## TPM\n| x | 1 | 2 | |\n\n## Kernel\n\n{table}\n");
        assert_eq!(sheet.committed(&book), sheet.figures);
        assert_eq!(sheet.committed(&format!("{book}## More\n| y | 1 | 2 | |\n")), sheet.figures);
        assert!(sheet.committed("# Figures\n").is_empty());
    }

    #[test]
    fn one_count_beyond_the_budget_is_too_many() {
        let figure = Figure::new("empty call", [9, 10]);
        assert!(figure.keeps_budget() && figure.clone().within(10).keeps_budget());
        assert!(!figure.within(9).keeps_budget());
    }

    #[test]
    fn a_difference_from_the_book_shows_both() {
        let figure = Figure::new("switch", [7]).within(8);
        let shown = |before| figure.compared(0, before);
        assert_eq!(shown(Some(Some(6))), Cell::figure("7 (was 6)").tone(Tone::Notable));
        assert_eq!(shown(Some(Some(7))), Cell::figure("7").tone(Tone::Normal));
        assert_eq!(shown(None), Cell::figure("7").tone(Tone::Normal));
        let beyond = Figure::new("switch", [9]).within(8);
        assert_eq!(beyond.compared(0, Some(Some(9))), Cell::figure("9").tone(Tone::Bad));
    }
}
