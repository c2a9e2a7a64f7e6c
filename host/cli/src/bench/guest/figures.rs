//! A figure, and the table of all of them.

use serde::Serialize;

use crate::table::Cell;
use crate::terminal::Tone;

/// The heading of the section of the book that has the table.
const HEADING: &str = "## Guest";

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Figure {
    pub(super) name: String,
    pub(super) count: u64,
    /// What it may not exceed.
    pub(super) budget: Option<u64>,
}

impl Figure {
    /// A row without a budget.
    pub(super) fn new(name: impl Into<String>, count: u64) -> Self {
        Self { name: name.into(), count, budget: None }
    }

    /// Whether it is within its budget.
    pub(super) fn keeps_budget(&self) -> bool {
        self.budget.is_none_or(|budget| self.count <= budget)
    }

    fn budget_text(&self) -> String {
        self.budget.map_or(String::new(), |budget| budget.to_string())
    }
}

/// The table for the book.
pub(super) fn markdown(figures: &[Figure]) -> String {
    let mut text = "| Figure | Count | Budget |\n|---|---:|---:|\n".to_owned();
    for figure in figures {
        let Figure { name, count, .. } = figure;
        text.push_str(&format!("| {name} | {count} | {} |\n", figure.budget_text()));
    }
    text
}

/// The figures that the book has, without budgets; none if it has no such table.
pub(super) fn committed(book: &str) -> Vec<Figure> {
    let section = book.lines().skip_while(|line| line.trim() != HEADING).skip(1);
    let section = section.take_while(|line| !line.starts_with("## "));
    let row = |line: &str| {
        let mut cells = line.strip_prefix('|')?.split('|').map(str::trim);
        Some(Figure::new(cells.next()?, cells.next()?.parse().ok()?))
    };
    section.filter_map(row).collect()
}

/// The table for people: where a figure differs from the book's, both.
pub(super) fn rows(figures: &[Figure], committed: &[Figure]) -> Vec<Vec<Cell>> {
    let heading = ["figure", "count", "budget"];
    let mut rows = vec![heading.map(|text| Cell::words(text).tone(Tone::Strong)).to_vec()];
    for figure in figures {
        let count = figure.count;
        let before = committed.iter().find(|before| before.name == figure.name);
        let before = before.map(|before| before.count).filter(|before| *before != count);
        let text = match before {
            Some(before) => format!("{count} (was {before})"),
            None => count.to_string(),
        };
        let tone = match before {
            _ if !figure.keeps_budget() => Tone::Bad,
            Some(_) => Tone::Notable,
            None => Tone::Normal,
        };
        let count = Cell::figure(text).tone(tone);
        rows.push(vec![Cell::words(&figure.name), count, Cell::figure(figure.budget_text())]);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_book_gives_back_what_was_written() {
        let figures = [Figure::new("empty call", 9), Figure::new("boot", 1)];
        let table = markdown(&figures);
        let book = format!("# Figures\n\n## TPM\n| x | 1 | |\n\n## Guest\n\n{table}\n");
        assert_eq!(committed(&book), figures);
        assert_eq!(committed(&format!("{book}## More\n| y | 1 | |\n")), figures);
        assert!(committed("# Figures\n").is_empty());
    }

    #[test]
    fn budgets_are_kept_or_not() {
        let figure = |budget| Figure { budget, ..Figure::new("empty call", 9) };
        assert!(figure(None).keeps_budget() && figure(Some(9)).keeps_budget());
        assert!(!figure(Some(8)).keeps_budget());
    }
}
