//! Text in columns.

use std::fmt;

/// Which side of its column a cell leans on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// Rows of cells that are printed below each other, indented, with two blanks
/// between columns.
pub(crate) struct Table<'a> {
    columns: &'a [(&'a str, Align)],
    rows: Vec<Vec<String>>,
}

impl<'a> Table<'a> {
    /// An empty table; columns without title are printed without a line of
    /// titles.
    pub(crate) fn new(columns: &'a [(&'a str, Align)]) -> Self {
        Self { columns, rows: Vec::new() }
    }

    /// Adds a row with a cell for each column.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().map(printable).collect());
    }
}

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let titles: Vec<String> = self.columns.iter().map(|(title, _)| (*title).into()).collect();
        let has_titles = titles.iter().any(|title| !title.is_empty());
        let lines: Vec<&Vec<String>> =
            has_titles.then_some(&titles).into_iter().chain(&self.rows).collect();
        let width = |column: usize| {
            lines.iter().filter_map(|line| line.get(column)).map(|c| c.chars().count()).max()
        };
        let widths: Vec<usize> =
            (0..self.columns.len()).map(|column| width(column).unwrap_or(0)).collect();
        for line in &lines {
            let mut text = String::new();
            for ((cell, width), (_, align)) in line.iter().zip(&widths).zip(self.columns) {
                text.push_str("  ");
                text.push_str(&match align {
                    Align::Left => format!("{cell:<width$}"),
                    Align::Right => format!("{cell:>width$}"),
                });
            }
            writeln!(f, "{}", text.trim_end())?;
        }
        Ok(())
    }
}

/// Text from a file must not control the terminal.
fn printable(text: String) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let mut table = Table::new(&[("name", Align::Left), ("size", Align::Right)]);
        table.row(["a".into(), "1000".into()]);
        table.row(["long".into(), "7".into()]);
        assert_eq!(table.to_string(), "  name  size\n  a     1000\n  long     7\n");
    }

    #[test]
    fn control_characters_are_replaced() {
        let mut table = Table::new(&[("", Align::Left)]);
        table.row(["\u{1b}[31mred\n".into()]);
        assert_eq!(table.to_string(), "  \u{fffd}[31mred\u{fffd}\n");
    }
}
