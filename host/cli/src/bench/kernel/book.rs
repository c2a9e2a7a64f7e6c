//! The table in the book, and what it said before.

use super::figures::{Figure, Place};
use super::machines::MACHINES;

/// The heading of the section that has the table.
const HEADING: &str = "## Kernel";

/// The table for the book.
pub(super) fn markdown(figures: &[Figure]) -> String {
    let machines: Vec<String> = MACHINES.iter().map(ToString::to_string).collect();
    let mut text = format!("| Figure | {} | Budget |\n", machines.join(" | "));
    text.push_str(&format!("|---|{}---:|\n", "---:|".repeat(MACHINES.len())));
    for figure in figures {
        let cell = |count: Option<u64>| count.map_or(String::new(), |count| count.to_string());
        let cells = Place::all().map(|place| figure.at(place)).chain([figure.budget]).map(cell);
        let cells: Vec<String> = cells.collect();
        text.push_str(&format!("| {} | {} |\n", figure.name, cells.join(" | ")));
    }
    text
}

/// The figures that the book has, without budgets; none if it has no such table.
pub(super) fn committed(book: &str) -> Vec<Figure> {
    let section = book.lines().skip_while(|line| line.trim() != HEADING).skip(1);
    let section = section.take_while(|line| !line.starts_with("## "));
    section.filter_map(row).collect()
}

/// The figure of a line of the table; `None` for any other line.
fn row(line: &str) -> Option<Figure> {
    let cells: Vec<&str> = line.strip_prefix('|')?.strip_suffix('|')?.split('|').collect();
    let (name, rest) = cells.split_first()?;
    let machines = rest.get(..MACHINES.len())?;
    let counts: Vec<u64> = machines.iter().map_while(|cell| cell.trim().parse().ok()).collect();
    (!counts.is_empty()).then(|| Figure::new(name.trim(), counts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_book_gives_back_what_was_written() {
        let figures =
            [Figure::new("image, bytes", vec![9]), Figure::new("switch", vec![1, 2, 3, 4])];
        let table = markdown(&figures);
        let book =
            format!("# Figures\n\n## TPM\n| x | 1 | 2 | 3 | 4 | |\n\n## Kernel\n\n{table}\n");
        assert_eq!(committed(&book), figures);
        assert_eq!(committed(&format!("{book}## More\n| y | 1 | 2 | 3 | 4 | |\n")), figures);
        assert!(committed("# Figures\n").is_empty());
    }
}
