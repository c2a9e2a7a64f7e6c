//! Text in columns.

use crate::terminal::{Terminal, Tone};

/// One field of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    text: String,
    tone: Tone,
    side: Side,
}

/// Where a field's text stands in its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

impl Cell {
    /// Words: they begin at the left.
    pub(crate) fn words(text: impl Into<String>) -> Self {
        Self { text: text.into(), tone: Tone::Normal, side: Side::Left }
    }

    /// A figure: it ends at the right.
    pub(crate) fn figure(text: impl Into<String>) -> Self {
        Self { text: text.into(), tone: Tone::Normal, side: Side::Right }
    }

    /// The same field in another tone.
    pub(crate) fn tone(self, tone: Tone) -> Self {
        Self { tone, ..self }
    }

    /// Pads before painting, because colour codes take no room on the screen.
    fn show(&self, width: usize, terminal: Terminal) -> String {
        let padding = " ".repeat(width.saturating_sub(self.width()));
        let text = terminal.paint(self.tone, &self.text);
        match self.side {
            Side::Left => format!("{text}{padding}"),
            Side::Right => format!("{padding}{text}"),
        }
    }

    fn width(&self) -> usize {
        self.text.chars().count()
    }
}

/// Sets rows in columns that are as wide as their widest field, two spaces
/// apart, without blanks at line ends. Rows may have different lengths.
pub(crate) fn render(rows: &[Vec<Cell>], terminal: Terminal) -> String {
    let mut widths: Vec<usize> = Vec::new();
    for row in rows {
        for (column, cell) in row.iter().enumerate() {
            match widths.get_mut(column) {
                Some(width) => *width = cell.width().max(*width),
                None => widths.push(cell.width()),
            }
        }
    }
    let lines = rows.iter().map(|row| {
        let fields: Vec<String> =
            row.iter().zip(&widths).map(|(cell, width)| cell.show(*width, terminal)).collect();
        fields.join("  ").trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::{Cell, render};
    use crate::terminal::{Terminal, Tone};

    #[test]
    fn columns_line_up() {
        let rows = [
            vec![Cell::words("step"), Cell::words("result"), Cell::figure("time")],
            vec![Cell::words("format"), Cell::words("ok"), Cell::figure("0.31 s")],
            vec![Cell::words("boot"), Cell::words("failed").tone(Tone::Bad)],
        ];
        assert_eq!(
            render(&rows, Terminal::plain()),
            "step    result    time\nformat  ok      0.31 s\nboot    failed"
        );
    }

    #[test]
    fn width_counts_characters() {
        let rows =
            [vec![Cell::words("é"), Cell::words("x")], vec![Cell::words("ab"), Cell::words("y")]];
        assert_eq!(render(&rows, Terminal::plain()), "é   x\nab  y");
    }

    #[test]
    fn nothing_is_nothing() {
        assert_eq!(render(&[], Terminal::plain()), "");
    }
}
